import { type HaproxyConfig, lastOf } from './proxy.ts';

/**
 * Where HAProxy looks for a file that a line of `file` names. Without `default-path` a path is relative to HAProxy's working
 * directory; our guess is this one, then that of haproxy.cfg.
 */
export function pathsOf(written: string, file: string, { global }: Pick<HaproxyConfig, 'global'>): string[] {
  if (written.startsWith('/')) return [written];
  const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/') + 1) : '';
  const [, policy, origin = ''] = lastOf(global, 'default-path')?.words ?? [];
  const bases = { config: [folder], parent: [`${folder}../`], origin: [`${origin}/`] }[policy ?? ''] ?? ['', folder];
  return bases.map((base) => `${base}${written}`);
}
