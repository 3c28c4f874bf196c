import pLimit from 'p-limit';
import type { Entry } from '../../contract/check.ts';
import { MAX_SUBJECTS } from '../../contract/check.ts';
import { decisionOf, type VerdictCache } from './cache.ts';
import type { Contribution } from './combine.ts';
import { LookupError, type Reason } from './decision.ts';

/** What the backend says of one subject: the entry that won, null for none, or why this one failed by itself. */
export type Lookup = { readonly entry: Entry | null } | { readonly error: string };

/** Whoever can be asked for verdicts. Rejects with `LookupError`. */
export interface Backend {
  /** As many lookups as subjects, in their order; `ttlSeconds` is how long they may be kept at most. */
  check(subjects: readonly string[]): Promise<{ readonly lookups: readonly Lookup[]; readonly ttlSeconds: number }>;
}

export interface LoaderSettings {
  readonly maxConcurrent: number;
}

/** Calls that may wait for one of the `maxConcurrent`; past it the policy answers at once. */
const MAX_QUEUED_CALLS = 1000;

/**
 * Looks up what the cache does not know. Equal subjects share one lookup while it is under way; every answer goes to
 * the cache, also when nobody waits for it any more.
 */
export class Loader {
  readonly #backend: Backend;
  readonly #cache: VerdictCache;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #underWay = new Map<string, Promise<Contribution>>();

  constructor(backend: Backend, cache: VerdictCache, settings: LoaderSettings) {
    this.#backend = backend;
    this.#cache = cache;
    this.#limit = pLimit(settings.maxConcurrent);
  }

  /** What each subject contributes, in their order. None of the promises ever rejects. */
  load(subjects: readonly string[]): Promise<Contribution>[] {
    const missing = [...new Set(subjects)].filter((subject) => !this.#underWay.has(subject));
    for (let from = 0; from < missing.length; from += MAX_SUBJECTS)
      this.#call(missing.slice(from, from + MAX_SUBJECTS));
    return subjects.map((subject) => this.#underWay.get(subject) ?? Promise.resolve<Contribution>('overload'));
  }

  #call(subjects: readonly string[]): void {
    if (this.#limit.pendingCount >= MAX_QUEUED_CALLS) return;
    const answered = this.#limit(() => this.#ask(subjects));
    subjects.forEach((subject, index) => {
      // In bounds: #ask returns one contribution for each subject.
      this.#underWay.set(
        subject,
        answered.then((contributions) => contributions[index] as Contribution),
      );
    });
  }

  async #ask(subjects: readonly string[]): Promise<Contribution[]> {
    try {
      const { lookups, ttlSeconds } = await this.#backend.check(subjects);
      return subjects.map((subject, index) => this.#keep(subject, lookups[index], ttlSeconds));
    } catch (error) {
      const reason = error instanceof LookupError ? error.reason : 'internal_error';
      return subjects.map((subject) => this.#fail(subject, reason));
    } finally {
      for (const subject of subjects) this.#underWay.delete(subject);
    }
  }

  #keep(subject: string, lookup: Lookup | undefined, ttlSeconds: number): Contribution {
    if (lookup === undefined || 'error' in lookup) return this.#fail(subject, 'backend_error');
    this.#cache.keepVerdict(subject, lookup.entry, ttlSeconds);
    return decisionOf(lookup.entry, 'backend');
  }

  #fail(subject: string, reason: Reason): Contribution {
    this.#cache.keepFailure(subject, reason);
    return reason;
  }
}
