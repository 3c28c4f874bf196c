import { Entry } from '../../contract/check.ts';
import { CONTROL } from '../../contract/subject.ts';
import { Key } from '../../contract/updates.ts';
import { SegmentError, type SegmentSink } from '../../updates/segment-reader.ts';
import type { Entries } from './entries.ts';
import type { ReceivedClass } from './entry-classes.ts';

/** Puts the entries of a segment of one list where they belong. */
export class SegmentFiller implements SegmentSink {
  readonly #entries: Entries;
  readonly #list: number;
  #of: ReceivedClass | undefined;

  constructor(entries: Entries, list: number) {
    this.#entries = entries;
    this.#list = list;
  }

  ofClass(received: object): void {
    this.#of = this.#entries.classes.read(received);
    if (this.#of === undefined) throw new SegmentError('a class breaks the contract');
  }

  ipv4(address: number, prefix: number, expiresAt: number | undefined): void {
    this.#entries.setIpv4(this.#list, address, prefix, this.#class, expiresAt);
  }

  ipv6(words: Int32Array, prefix: number, expiresAt: number | undefined): void {
    this.#entries.setIpv6(this.#list, words, prefix, this.#class, expiresAt);
  }

  entry(key: string, subject: string, expiresAt: number | undefined): void {
    const isGood =
      Entry.shape.subject.safeParse(subject).success &&
      (key === subject || Key.shape.subject.safeParse(key).success) &&
      !CONTROL.test(subject);
    if (!isGood) throw new SegmentError('an entry breaks the contract');
    this.#entries.set(this.#list, key, subject, this.#class, expiresAt);
  }

  get #class(): ReceivedClass {
    if (this.#of === undefined) throw new SegmentError('an entry comes before the first class');
    return this.#of;
  }
}
