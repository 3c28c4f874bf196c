import { ACTIONS, type Action } from '../../contract/actions.ts';
import { entryProblem } from '../../contract/check.ts';
import { EntryClass } from '../../contract/mirror.ts';
import { classHash, classText, type Hash } from '../../updates/digest.ts';
import { textBytes } from '../decision/cache-memory.ts';
import { MAX_CLASS_BYTES } from './mirror-memory.ts';

/** Classes that are kept; with more, only the action and the hash of an entry are. */
const MAX_CLASSES = 65_535;
/** Characters of the longest class that is kept. */
const MAX_TEXT = 4096;
/** Of a class beside its text, which it has once as text and once in an object. */
const CLASS_BYTES = 384;

/** Numbers from here on stand for single entries. */
const FIRST_SINGLE = MAX_CLASSES + 1;
const FIRST_ROOM = 256;

/** A class as it was received, and what this version knows of it. */
export interface ReceivedClass {
  readonly text: string;
  readonly hash: Hash;
  readonly of: EntryClass;
}

/** What a class is checked with. */
const ANY = { subject: 'ip:192.0.2.1', list: 'a' };

const NO_HASH: Hash = { low: 0, high: 0 };

interface KeptClass extends ReceivedClass {
  uses: number;
}

/**
 * What entries say beside their subjects, by number: equal entries share one. There may be as many classes as entries: of
 * those for which there is no room, each entry has a number of its own, with the action and the hash alone.
 */
export class EntryClasses {
  readonly #kept: (KeptClass | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];
  #bytes = 0;
  #actions = new Uint8Array(FIRST_ROOM);
  /** Of single entries: the hash, or the next free place. */
  #hashes = new Int32Array(0);
  #freeSingle = -1;
  #singles = 0;

  /** The number of the action of each class, from 1 on. */
  get actions(): Uint8Array {
    return this.#actions;
  }

  get bytes(): number {
    return this.#bytes + this.#actions.byteLength + this.#hashes.byteLength;
  }

  /** Reads what a received entry says beside its subject, list and expiry; undefined if it breaks the contract. */
  read(received: object): ReceivedClass | undefined {
    const text = classText(received);
    const known = this.#kept[this.#numbers.get(text) ?? 0];
    if (known !== undefined) return known;
    const { success, data } = EntryClass.safeParse(received);
    if (!success || entryProblem({ ...data, ...ANY }) !== undefined) return undefined;
    return { text, hash: classHash(text), of: data };
  }

  /** What a class says, or undefined if only the action is known. */
  of(number: number): EntryClass | undefined {
    return this.#kept[number]?.of;
  }

  action(number: number): Action {
    return ACTIONS[(this.#actions[number] as number) - 1] as Action; // numbers come from take
  }

  /** That of a class which does not exist says that memory is faulty. */
  hash(number: number): Hash {
    if (number < FIRST_SINGLE) return this.#kept[number]?.hash ?? NO_HASH;
    const at = 2 * (number - FIRST_SINGLE);
    return { low: this.#hashes[at] ?? 0, high: this.#hashes[at + 1] ?? 0 };
  }

  /** The number for one more entry of a class. */
  take(received: ReceivedClass): number {
    const number = this.#numbers.get(received.text) ?? this.#keep(received);
    const kept = this.#kept[number];
    if (kept !== undefined) kept.uses++;
    return number;
  }

  /** One entry less. */
  release(number: number): void {
    if (number >= FIRST_SINGLE) {
      const at = 2 * (number - FIRST_SINGLE);
      this.#hashes[at] = this.#freeSingle;
      this.#freeSingle = at;
      return;
    }
    const kept = this.#kept[number];
    if (kept === undefined) return;
    kept.uses--;
    if (kept.uses > 0) return;
    this.#kept[number] = undefined;
    this.#numbers.delete(kept.text);
    this.#bytes -= bytesOf(kept.text);
    this.#free.push(number);
  }

  #keep({ text, hash, of }: ReceivedClass): number {
    const bytes = this.#bytes + bytesOf(text);
    if (this.#numbers.size === MAX_CLASSES || bytes > MAX_CLASS_BYTES || text.length > MAX_TEXT)
      return this.#single(hash, of);
    const number = this.#free.pop() ?? this.#kept.length;
    this.#kept[number] = { text, hash, of, uses: 0 };
    this.#numbers.set(text, number);
    this.#bytes = bytes;
    this.#setAction(number, of);
    return number;
  }

  #single({ low, high }: Hash, of: EntryClass): number {
    let at = this.#freeSingle;
    if (at >= 0) this.#freeSingle = this.#hashes[at] as number;
    else {
      at = 2 * this.#singles++;
      if (at >= this.#hashes.length) this.#hashes = grown(this.#hashes, Int32Array);
    }
    this.#hashes[at] = low;
    this.#hashes[at + 1] = high;
    const number = FIRST_SINGLE + at / 2;
    this.#setAction(number, of);
    return number;
  }

  #setAction(number: number, { action }: EntryClass): void {
    while (number >= this.#actions.length) this.#actions = grown(this.#actions, Uint8Array);
    this.#actions[number] = ACTIONS.indexOf(action) + 1;
  }
}

function bytesOf(text: string): number {
  return CLASS_BYTES + 2 * textBytes(text);
}

/** The same numbers with room for as many more: 2 million singles are copied in 4 ms. */
function grown<Numbers extends Int32Array | Uint8Array>(
  numbers: Numbers,
  Kind: new (length: number) => Numbers,
): Numbers {
  const more = new Kind(Math.max(FIRST_ROOM, 2 * numbers.length));
  more.set(numbers);
  return more;
}
