import type { ListStates } from '../../contract/updates.ts';
import type { Mirror } from '../mirror/mirror.ts';
import type { BeginStep, PageStep } from './updates-step.ts';

/** Changes that are applied in one turn of the event loop. */
const SLICE = 200;

/** A mirror, its place in the log of one backend, and how fresh it is. */
export class HeldMirror {
  readonly tables: Mirror;
  readonly #begin: BeginStep;
  #filled = 0;
  cursor: string;
  position: number;
  /** Up to when every change is proven to be in it, by the clock of lookups; never without a proof. */
  asOfMs = Number.NEGATIVE_INFINITY;
  /** The same, at the last proof that there was. */
  provenMs = Number.NEGATIVE_INFINITY;
  /** When it, or a change in it, was received last. */
  receivedMs: number;
  /** The backend has something else: what is not here may be listed. */
  isMismatched = false;

  constructor(begin: BeginStep, tables: Mirror, nowMs: number) {
    this.#begin = begin;
    this.tables = tables;
    this.cursor = begin.manifest.cursor;
    this.position = begin.manifest.position;
    this.receivedMs = nowMs;
  }

  get id(): string {
    return this.#begin.manifest.id;
  }

  get segments(): BeginStep['manifest']['segments'] {
    return this.#begin.manifest.segments;
  }

  /** Adds a segment, in slices. Throws if it is none, or if the lists are not what the manifest says when it was the last. */
  *fill(list: string, bytes: Uint8Array): Generator<void> {
    yield* this.tables.fill(list, bytes);
    this.#filled++;
    if (this.#filled === this.segments.length) this.#compareWithManifest();
  }

  /** Applies the changes of a page in order, in slices: any part of them is a state that was. */
  *apply({ changes, place, checkpoint }: PageStep): Generator<void> {
    for (const [index, change] of changes.entries()) {
      if (index > 0 && index % SLICE === 0) yield;
      this.tables.apply(change);
    }
    if (place !== undefined) {
      this.cursor = place.cursor;
      this.position = place.position;
    }
    if (checkpoint !== undefined && this.differing(checkpoint).length > 0) this.isMismatched = true;
  }

  /** The lists that are something else here. */
  differing(states: ListStates): string[] {
    return Object.entries(states).flatMap(([list, { count, digest }]) => {
      const own = this.tables.sumOf(list);
      // of a kind with too many entries not all are kept, and there is no sum
      return own === undefined || (own.count === count && own.digest === digest) ? [] : [list];
    });
  }

  #compareWithManifest(): void {
    const lists = this.differing(this.#begin.manifest.lists);
    if (lists.length > 0)
      throw new Error(`segments of the mirror are not what its manifest says of ${lists.join(', ')}`);
  }
}
