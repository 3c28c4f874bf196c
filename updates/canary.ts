/** Canaries are items, each in a partition of its own. Where one's event is, everything before it on its shard is too. */
export const CANDIDATES = 64;
export const CANARY_LIST = '@canary';

const PREFIX = '@canary';

/** The subject of a canary. Each region has its own: those of other regions come by replication, and prove nothing here. */
export function canarySubject(region: string, canary: string): string {
  return `${PREFIX}:${region}:${canary}`;
}

/** The canary of this region that has this subject. */
export function canaryOf(region: string, subject: string): string | undefined {
  const prefix = canarySubject(region, '');
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : undefined;
}
