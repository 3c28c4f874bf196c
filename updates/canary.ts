import { RESERVED } from '../blocklist/table.ts';

/** Canaries are items, each in a partition of its own. Where one's event is, everything before it on its shard is too. */
export const CANDIDATES = 64;
export const FIRST_CANARY = '0';
export const CANARY_LIST = '@canary';

/** The canary of this region that has this subject. Those of other regions come by replication, and prove nothing here. */
export function canaryOf(region: string, subject: string): string | undefined {
  const prefix = RESERVED.canaryOf(region, '');
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : undefined;
}
