import { Entry } from '../../contract/check.ts';
import { CONTROL } from '../../contract/subject.ts';
import { Key } from '../../contract/updates.ts';
import { SegmentError, type SegmentSink } from '../../updates/segment-reader.ts';
import { AddressKey } from './address-key.ts';
import type { Entries } from './entries.ts';
import type { ReceivedClass } from './entry-classes.ts';

/** Addresses that are put at a time. */
const BATCH = 64;

/** Puts the entries of a segment of one list where they belong. */
export class SegmentFiller implements SegmentSink {
  readonly #entries: Entries;
  readonly #list: number;
  #of: ReceivedClass | undefined;
  readonly #batch = Array.from({ length: BATCH }, () => new AddressKey());
  readonly #expiries: (number | undefined)[] = new Array(BATCH).fill(undefined);
  #count = 0;
  /** Something of what was touched. */
  touched = 0;

  constructor(entries: Entries, list: number) {
    this.#entries = entries;
    this.#list = list;
  }

  ofClass(received: object): void {
    this.flush();
    this.#of = this.#entries.classes.read(received);
    if (this.#of === undefined) throw new SegmentError('a class breaks the contract');
  }

  ipv4(address: number, prefix: number, expiresAt: number | undefined): void {
    this.#next(expiresAt).readIpv4(address, prefix);
  }

  ipv6(words: Int32Array, prefix: number, expiresAt: number | undefined): void {
    this.#next(expiresAt).readIpv6(words, prefix);
  }

  entry(key: string, subject: string, expiresAt: number | undefined): void {
    const isGood =
      Entry.shape.subject.safeParse(subject).success &&
      (key === subject || Key.shape.subject.safeParse(key).success) &&
      !CONTROL.test(subject);
    if (!isGood) throw new SegmentError('an entry breaks the contract');
    this.flush();
    this.#entries.set(this.#list, key, subject, this.#class, expiresAt);
  }

  /**
   * Puts the addresses that wait. Where they go is read for all of them first: each is far from the one before, and the
   * processor waits for many reads of memory at a time as long as for one.
   */
  flush(): void {
    const [count, batch] = [this.#count, this.#batch];
    this.#count = 0;
    for (let index = 0; index < count; index++) this.touched ^= this.#entries.touch(batch[index] as AddressKey);
    for (let index = 0; index < count; index++)
      this.#entries.setNetwork(this.#list, batch[index] as AddressKey, this.#class, this.#expiries[index]);
  }

  /** The place for one more address. */
  #next(expiresAt: number | undefined): AddressKey {
    if (this.#count === BATCH) this.flush();
    this.#expiries[this.#count] = expiresAt;
    return this.#batch[this.#count++] as AddressKey; // there is one below BATCH
  }

  get #class(): ReceivedClass {
    if (this.#of === undefined) throw new SegmentError('an entry comes before the first class');
    return this.#of;
  }
}
