import { textBytes } from '../decision/cache-memory.ts';
import { listOf } from './entry-value.ts';
import { MAX_TEXT_BYTES } from './mirror-memory.ts';

/** The most entries of one kind, and the most under keys that are not canonical. */
const MAX_OF_KIND = 100_000;
const MAX_SPELLED = 10_000;
/** Of an entry beside its texts. */
const ENTRY_BYTES = 160;

/** An entry that is found by text; those of one subject are a chain. */
export interface TextEntry {
  readonly key: string;
  value: number;
  expiry: number;
  next: TextEntry | undefined;
  /** Of the first of a chain: the round of the last sum that has it. */
  round: number;
}

/** Why an entry is not kept: there are too many of its kind, of all, or under keys that are not canonical. */
export type Refused = 'kind' | 'all' | 'spelled';

/**
 * Entries by the exact text of their subject: those of any kind but addresses, and those under a key that is another
 * spelling of it. Their number and their memory are bounded.
 */
export class TextEntries {
  readonly #chains = new Map<string, TextEntry>();
  /** The subject by the name of a key that is another spelling of it. */
  readonly #spelled = new Map<string, string>();
  readonly #kinds = new Map<string, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get spelled(): number {
    return this.#spelled.size;
  }

  /** The subject of the entry under a key: the key itself unless it is known as another spelling. */
  subjectOf(list: number, key: string): string {
    return (this.#spelled.size === 0 ? undefined : this.#spelled.get(nameOf(list, key))) ?? key;
  }

  /** The first entry of a subject. */
  chainOf(subject: string): TextEntry | undefined {
    return this.#chains.get(subject);
  }

  /** All subjects with their chains; what is added meanwhile comes later. */
  chains(): IterableIterator<[string, TextEntry]> {
    return this.#chains.entries();
  }

  find(list: number, key: string, subject: string): TextEntry | undefined {
    let entry = this.#chains.get(subject);
    while (entry !== undefined && (listOf(entry.value) !== list || entry.key !== key)) entry = entry.next;
    return entry;
  }

  /** Adds an entry that is not there, or returns why not. */
  add(subject: string, entry: Pick<TextEntry, 'key' | 'value' | 'expiry'>): Refused | undefined {
    const kind = kindOf(subject);
    const isSpelled = entry.key !== subject;
    const bytes = bytesOf(entry.key, subject);
    const ofKind = this.#kinds.get(kind) ?? 0;
    if (isSpelled && this.#spelled.size >= MAX_SPELLED) return 'spelled';
    if (this.#bytes + bytes > MAX_TEXT_BYTES) return 'all';
    if (ofKind >= MAX_OF_KIND) return 'kind';
    const first = this.#chains.get(subject);
    const added = { ...entry, next: first?.next, round: 0 };
    if (first === undefined) this.#chains.set(subject, added);
    else first.next = added;
    if (isSpelled) this.#spelled.set(nameOf(listOf(entry.value), entry.key), subject);
    this.#kinds.set(kind, ofKind + 1);
    this.#bytes += bytes;
    return undefined;
  }

  remove(subject: string, entry: TextEntry): void {
    const first = this.#chains.get(subject);
    if (first !== entry) {
      let before = first;
      while (before !== undefined && before.next !== entry) before = before.next;
      if (before !== undefined) before.next = entry.next;
    } else if (entry.next === undefined) this.#chains.delete(subject);
    else {
      entry.next.round = entry.round;
      this.#chains.set(subject, entry.next);
    }
    const kind = kindOf(subject);
    const left = (this.#kinds.get(kind) ?? 0) - 1;
    if (left > 0) this.#kinds.set(kind, left);
    else this.#kinds.delete(kind);
    if (entry.key !== subject) this.#spelled.delete(nameOf(listOf(entry.value), entry.key));
    this.#bytes -= bytesOf(entry.key, subject);
  }
}

function nameOf(list: number, key: string): string {
  return `${list} ${key}`;
}

export function kindOf(subject: string): string {
  return subject.slice(0, Math.max(0, subject.indexOf(':')));
}

function bytesOf(key: string, subject: string): number {
  return ENTRY_BYTES + textBytes(subject) + (key === subject ? 0 : ENTRY_BYTES + 2 * textBytes(key));
}
