import type { Change, ListStates } from '../contract/updates.ts';
import { classHash, classText, type Hash, ListDigest } from './digest.ts';

/** What equal entries say beside their subjects and expiry: kept once. */
export interface FoldedClass {
  /** As `classText` writes it. */
  readonly text: string;
  readonly hash: Hash;
}

/** The entry of a key. */
export interface FoldedEntry {
  readonly of: FoldedClass;
  readonly expiresAt: number | undefined;
  /** Its subject, where the key is another spelling of it. */
  readonly subject: string | undefined;
}

/** Equal entries of two folds. */
export function sameEntry(a: FoldedEntry, b: FoldedEntry | undefined): boolean {
  return b !== undefined && a.of.text === b.of.text && a.expiresAt === b.expiresAt && a.subject === b.subject;
}

interface FoldedList {
  readonly entries: Map<string, FoldedEntry>;
  readonly digest: ListDigest;
}

/** What is true of every key after some changes. An expired entry stays until a change says that it is gone. */
export class Fold {
  readonly #lists = new Map<string, FoldedList>();
  readonly #classes = new Map<string, FoldedClass>();
  /** Most entries have no expiry and the usual spelling: those of a class share one object. */
  readonly #plain = new Map<FoldedClass, FoldedEntry>();

  apply({ key, entry }: Pick<Change, 'key' | 'entry'>): void {
    if (entry === null) this.set(key, undefined);
    else {
      const other = entry.subject === key.subject ? undefined : entry.subject;
      this.set(key, this.entryOf(this.classOf(classText(entry)), other, entry.expiresAt));
    }
  }

  classOf(text: string): FoldedClass {
    let known = this.#classes.get(text);
    if (known === undefined) {
      known = { text, hash: classHash(text) };
      this.#classes.set(text, known);
    }
    return known;
  }

  entryOf(of: FoldedClass, subject: string | undefined, expiresAt: number | undefined): FoldedEntry {
    if (subject !== undefined || expiresAt !== undefined) return { of, subject, expiresAt };
    let plain = this.#plain.get(of);
    if (plain === undefined) {
      plain = { of, subject, expiresAt };
      this.#plain.set(of, plain);
    }
    return plain;
  }

  set({ subject: key, list }: Change['key'], entry: FoldedEntry | undefined): void {
    const { entries, digest } = this.#listOf(list);
    const before = entries.get(key);
    if (before !== undefined) digest.entry(-1, key, before.subject ?? key, before.expiresAt, before.of.hash);
    if (entry === undefined) {
      entries.delete(key);
      return;
    }
    digest.entry(1, key, entry.subject ?? key, entry.expiresAt, entry.of.hash);
    entries.set(key, entry);
  }

  /** The lists that have entries. */
  get lists(): string[] {
    return [...this.#lists].flatMap(([list, { entries }]) => (entries.size > 0 ? [list] : []));
  }

  /** The entries of a list by key. */
  entriesOf(list: string): ReadonlyMap<string, FoldedEntry> {
    return this.#lists.get(list)?.entries ?? new Map();
  }

  get states(): ListStates {
    return Object.fromEntries(this.lists.map((list) => [list, this.#listOf(list).digest.state]));
  }

  #listOf(list: string): FoldedList {
    let known = this.#lists.get(list);
    if (known === undefined) {
      known = { entries: new Map(), digest: new ListDigest() };
      this.#lists.set(list, known);
    }
    return known;
  }
}
