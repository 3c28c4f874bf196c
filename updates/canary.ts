import { RESERVED } from '../blocklist/table.ts';

/** Canaries are items, each in a partition of its own. Where one's event is, everything before it on its shard is too. */
export const CANDIDATES = 64;
export const FIRST_CANARY = '0';
/** A proof that is older has the canaries written while agents poll; what they prove is in the log about a second later. */
export const OLD_PROOF_MS = 35_000;
/**
 * How often it is tried which canaries share a shard, since shards split, and in how many rounds: two canaries of one shard
 * may come in two batches, and after three rounds few of them are still taken for two shards.
 */
export const TRIAL = { everyMs: 6 * 3_600_000, rounds: 3 } as const;
export const CANARY_LIST = '@canary';

/** The canary of this region that has this subject. Those of other regions come by replication, and prove nothing here. */
export function canaryOf(region: string, subject: string): string | undefined {
  const prefix = RESERVED.canaryOf(region, '');
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : undefined;
}
