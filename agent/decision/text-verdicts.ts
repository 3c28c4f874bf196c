import { LRUCache } from 'lru-cache';
import { lookupKeysOf } from '../../contract/subject.ts';
import { bytesOfOther, maxOtherBytes } from './cache-memory.ts';
import { isListed } from './decision.ts';
import type { Kept } from './ticks.ts';

interface Stored {
  readonly kept: Kept;
  /** The wildcards that changed up to this revision are applied to it. */
  revision: number;
}

/** Wildcards whose changes are remembered: 1 MB of text. With more, everything ends as fresh. */
const MAX_WILDCARDS = 4096;

/**
 * Verdicts about subjects that are not addresses, by their text; bounded by the memory they take. A changed wildcard is only
 * remembered: the next look at a verdict that is older ends it if the wildcard covers it, so that no change, however wide,
 * costs a pass over all texts.
 */
export class TextVerdicts {
  readonly #stored: LRUCache<string, Stored>;
  readonly #now: () => number;
  readonly #wildcards = new Map<string, number>();
  #revision = 0;
  /** What was kept before this revision is not fresh any more. */
  #endedBefore = 0;
  #evicted = 0;

  constructor(maxEntries: number, now: () => number) {
    this.#now = now;
    const maxBytes = maxOtherBytes(maxEntries);
    // Bounded by size alone: with `max` the library preallocates 40 bytes an entry.
    this.#stored = new LRUCache({
      maxSize: maxBytes,
      dispose: ({ kept }, _text, why) => void (why === 'evict' && kept.keptUntil > now() && this.#evicted++),
      // So that the largest entry fits into the smallest cache.
      sizeCalculation: ({ kept: { verdict } }, text) => Math.min(maxBytes, bytesOfOther(text, verdict)),
    });
  }

  get size(): number {
    return this.#stored.size;
  }

  get bytes(): number {
    return this.#stored.calculatedSize;
  }

  /** Verdicts that were evicted before they expired. */
  get evicted(): number {
    return this.#evicted;
  }

  get(text: string): Kept | undefined {
    return this.#current(text, this.#stored.get(text));
  }

  /** The same without a use of it. */
  peek(text: string): Kept | undefined {
    return this.#current(text, this.#stored.peek(text));
  }

  set(text: string, { verdict, freshUntil, keptUntil, refreshable }: Kept): void {
    const kept = { verdict, freshUntil, keptUntil, refreshable };
    this.#stored.set(text, { kept, revision: this.#revision });
  }

  clear(): void {
    this.#stored.clear();
  }

  /** The texts, the oldest first. */
  texts(): string[] {
    return [...this.#stored.rkeys()];
  }

  /** Ends the verdict of a text; returns whether a listed one stays as a stale one. */
  end(text: string): boolean {
    const kept = this.peek(text);
    return kept !== undefined && this.#end(kept) && kept.keptUntil > this.#now();
  }

  /** Ends what these wildcards cover. */
  endCovered(wildcards: readonly string[]): void {
    if (wildcards.length === 0) return;
    this.#revision++;
    for (const wildcard of wildcards) this.#wildcards.set(wildcard, this.#revision);
    if (this.#wildcards.size > MAX_WILDCARDS) this.endAllFresh();
  }

  /** Ends everything as fresh; it stays as stale. */
  endAllFresh(): void {
    this.#endedBefore = ++this.#revision;
    this.#wildcards.clear();
  }

  #current(text: string, stored: Stored | undefined): Kept | undefined {
    if (stored === undefined) return undefined;
    const { kept, revision } = stored;
    if (revision === this.#revision) return kept;
    stored.revision = this.#revision;
    if (revision < this.#endedBefore) kept.freshUntil = Math.min(kept.freshUntil, this.#now());
    if (lookupKeysOf(text).some((key) => (this.#wildcards.get(key) ?? 0) > revision)) this.#end(kept);
    return kept;
  }

  /** A listed verdict stays as a stale one, any other is gone. */
  #end(kept: Kept): boolean {
    const stays = isListed(kept.verdict);
    kept.freshUntil = Math.min(kept.freshUntil, this.#now());
    if (!stays) kept.keptUntil = 0;
    return stays;
  }
}
