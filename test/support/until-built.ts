import type { LocalStack } from '../../dev/stack/local-stack.ts';

/** Has the builder run as in some minutes, until there is a mirror. */
export async function untilMirrorBuilt(cloud: Pick<LocalStack, 'logs' | 'schedules'>): Promise<void> {
  const isBuilt = () => cloud.logs.some((line) => line.includes('"mirror made"'));
  for (let minutes = 3; minutes > 0 && !isBuilt(); minutes--)
    for (const rule of cloud.schedules.values()) await rule.fire();
}
