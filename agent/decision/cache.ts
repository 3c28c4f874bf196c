import { LRUCache } from 'lru-cache';
import type { Entry } from '../../contract/check.ts';
import type { Clock } from './clock.ts';
import type { Decision, Reason } from './decision.ts';

/** What is known of one subject until `freshUntilMs`: the entry that won or none, or why nothing could be learnt. */
export type Known =
  | {
      readonly type: 'verdict';
      readonly entry: Entry | null;
      readonly freshUntilMs: number;
      readonly decision: Decision;
    }
  | { readonly type: 'failure'; readonly reason: Reason; readonly freshUntilMs: number };

export interface CacheSettings {
  readonly maxEntries: number;
  readonly allowTtlSeconds: number;
  readonly denyTtlSeconds: number;
  readonly policyTtlSeconds: number;
}

/** Subjects are up to 1 KiB, most are under 50 bytes: this many bytes an entry on average are allowed for. */
const BYTES_PER_ENTRY = 256;
const RECORD_BYTES = 128;

/** The verdicts of the last subjects, bounded in entries and bytes; the least recently used goes first. */
export class VerdictCache {
  readonly #settings: CacheSettings;
  readonly #clock: Clock;
  readonly #known: LRUCache<string, Known>;

  constructor(settings: CacheSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#known = new LRUCache({
      max: settings.maxEntries,
      maxSize: Math.max(settings.maxEntries * BYTES_PER_ENTRY, 4096),
      sizeCalculation: (_known, subject) => RECORD_BYTES + subject.length,
    });
  }

  /** What is known and still fresh, or undefined. */
  get(subject: string, nowMs: number): Known | undefined {
    const known = this.#known.get(subject);
    return known !== undefined && known.freshUntilMs > nowMs ? known : undefined;
  }

  /** Keeps a verdict for its lifetime by settings, no longer than the backend allows and the entry lasts. */
  keepVerdict(subject: string, entry: Entry | null, backendTtlSeconds: number): void {
    const { allowTtlSeconds, denyTtlSeconds } = this.#settings;
    const ownTtl = entry !== null && entry.action !== 'allow' ? denyTtlSeconds : allowTtlSeconds;
    const lifeMs = Math.min(Math.min(ownTtl, backendTtlSeconds) * 1000, this.#remainingMs(entry));
    if (lifeMs <= 0) return;
    const freshUntilMs = this.#clock.nowMs() + lifeMs;
    this.#known.set(subject, { type: 'verdict', entry, freshUntilMs, decision: decisionOf(entry, 'cache') });
  }

  /** Remembers for the policy's lifetime that this subject could not be looked up, so as not to ask again at once. */
  keepFailure(subject: string, reason: Reason): void {
    const lifeMs = this.#settings.policyTtlSeconds * 1000;
    if (lifeMs > 0) this.#known.set(subject, { type: 'failure', reason, freshUntilMs: this.#clock.nowMs() + lifeMs });
  }

  #remainingMs(entry: Entry | null): number {
    return entry?.expiresAt === undefined ? Number.POSITIVE_INFINITY : entry.expiresAt * 1000 - this.#clock.epochMs();
  }
}

const NOTHING_CACHED: Decision = { action: 'allow', source: 'cache' };
const NOTHING_FROM_BACKEND: Decision = { action: 'allow', source: 'backend' };

/** The decision that one subject's verdict makes. */
export function decisionOf(entry: Entry | null, source: 'cache' | 'backend'): Decision {
  if (entry === null) return source === 'cache' ? NOTHING_CACHED : NOTHING_FROM_BACKEND;
  const { action, reason, status } = entry;
  return {
    action,
    source,
    entry,
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
  };
}
