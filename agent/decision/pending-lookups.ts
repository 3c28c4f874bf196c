import type { SubjectVerdict } from './decision.ts';
import type { LookupSubject } from './lookup-subject.ts';

export type Settle = (verdict: SubjectVerdict) => void;

export interface PendingLookup {
  readonly subject: LookupSubject;
  readonly sinceMs: number;
  readonly settles: Settle[];
  /** In flight as part of a call, and not in the queue. */
  isInFlight: boolean;
  /** Calls that it was part of. */
  attempts: number;
  /** An entry changed that decides about it: its answer may be older, and is not kept. */
  isOutdated: boolean;
}

/** Every lookup that is queued or in flight, by the text of its subject. */
export class PendingLookups {
  readonly #byText = new Map<string, PendingLookup>();
  /** Those are not shared any more: who asks now gets a new one. */
  readonly #outdated = new Set<PendingLookup>();
  #becameIdle = () => {};

  get(text: string): PendingLookup | undefined {
    return this.#byText.get(text);
  }

  add(subject: LookupSubject, sinceMs: number, settles: Settle[]): PendingLookup {
    const lookup = { subject, sinceMs, settles, isInFlight: false, attempts: 0, isOutdated: false };
    this.#byText.set(subject.text, lookup);
    return lookup;
  }

  settle(lookup: PendingLookup, verdict: SubjectVerdict): void {
    if (!this.#outdated.delete(lookup)) this.#byText.delete(lookup.subject.text);
    for (const settle of lookup.settles) settle(verdict);
    if (this.#size === 0) this.#becameIdle();
  }

  /** Entries of such subjects changed: what is in flight may be answered from before. */
  outdate(isChanged: (subject: LookupSubject) => boolean): void {
    for (const [text, lookup] of this.#byText) {
      if (!lookup.isInFlight || !isChanged(lookup.subject)) continue;
      lookup.isOutdated = true;
      this.#byText.delete(text);
      this.#outdated.add(lookup);
    }
  }

  /** Resolves when none is left. */
  idle(): Promise<void> {
    return this.#size === 0 ? Promise.resolve() : new Promise((resolve) => (this.#becameIdle = resolve));
  }

  get #size(): number {
    return this.#byText.size + this.#outdated.size;
  }
}
