import { createHash } from 'node:crypto';
import { type Network, parseAddress, parseNetwork } from '../contract/address.ts';
import type { ListState } from '../contract/updates.ts';

/** A hash of 64 bits, as two words. */
export interface Hash {
  readonly low: number;
  readonly high: number;
}

/** The expiry of an entry that has none, or one after February 2106: what fits into a word of a table. */
export const NEVER = 0xffff_ffff;

export function expiryWord(expiresAt: number | undefined): number {
  return Math.min(expiresAt ?? NEVER, NEVER);
}

/** What an entry says beside its subject, list and expiry, in one text for equal classes; fields of later versions too. */
export function classText(entry: object): string {
  const { subject: _subject, list: _list, expiresAt: _expiresAt, ...rest } = entry as Record<string, unknown>;
  return JSON.stringify(sorted(rest));
}

export function classHash(text: string): Hash {
  const bytes = createHash('sha256').update(text).digest();
  return { high: bytes.readUInt32BE(0), low: bytes.readUInt32BE(4) };
}

/** What a list without entries has. */
export const NO_STATE: ListState = { count: 0, digest: '0'.repeat(16) };

/** An address, the first word first. */
interface Ipv6Words {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** Whether an entry comes or goes. */
type Sign = 1 | -1;

/**
 * The sum of the hashes of a list's entries, which has no order, so that it can be kept as entries come and go, and computed
 * anew from tables: addresses and networks are hashed as numbers, other subjects as text. It finds faults. It is no defence
 * against somebody who chooses entries.
 */
export class ListDigest {
  #count = 0;
  #low = 0;
  #high = 0;

  get state(): ListState {
    return { count: this.#count, digest: hex(this.#high) + hex(this.#low) };
  }

  ipv4(sign: Sign, address: number, prefix: number, expiry: number, { low, high }: Hash): void {
    const end = (4 << 8) | prefix;
    this.#add(sign, mixed(mixed(mixed(low, expiry), address), end), mixed(mixed(mixed(high, expiry), address), end));
  }

  ipv6(sign: Sign, { a, b, c, d }: Ipv6Words, prefix: number, expiry: number, { low, high }: Hash): void {
    const end = (6 << 8) | prefix;
    this.#add(sign, ofIpv6(mixed(low, expiry), a, b, c, d, end), ofIpv6(mixed(high, expiry), a, b, c, d, end));
  }

  /** Any other entry: its key, and its subject where the key is another spelling of it. */
  text(sign: Sign, key: string, subject: string, expiry: number, of: Hash): void {
    const text = key === subject ? key : `${key}\n${subject}`;
    let [low, high] = [mixed(of.low, expiry), mixed(of.high, expiry)];
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      low = mixed(low, unit);
      high = mixed(high, unit);
    }
    this.#add(sign, mixed(low, text.length), mixed(high, text.length));
  }

  /** An entry in text, whichever it is. */
  entry(sign: Sign, key: string, subject: string, expiresAt: number | undefined, of: Hash): void {
    const expiry = expiryWord(expiresAt);
    const network = key === subject && subject.startsWith('ip:') ? networkOf(subject.slice(3)) : undefined;
    if (network === undefined) {
      this.text(sign, key, subject, expiry, of);
      return;
    }
    const { bytes, prefix } = network;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    if (bytes.length === 4) this.ipv4(sign, view.getInt32(0), prefix, expiry, of);
    else {
      const words = { a: view.getInt32(0), b: view.getInt32(4), c: view.getInt32(8), d: view.getInt32(12) };
      this.ipv6(sign, words, prefix, expiry, of);
    }
  }

  #add(sign: Sign, low: number, high: number): void {
    this.#count += sign;
    this.#low = (this.#low + sign * finished(low)) | 0;
    this.#high = (this.#high + sign * finished(high)) | 0;
  }
}

function ofIpv6(start: number, a: number, b: number, c: number, d: number, end: number): number {
  return mixed(mixed(mixed(mixed(mixed(start, a), b), c), d), end);
}

function networkOf(text: string): Network | undefined {
  const bytes = parseAddress(text);
  return bytes === undefined ? parseNetwork(text) : { bytes, prefix: bytes.length * 8 };
}

/** One round of MurmurHash3 (public domain): for each word and each other state, another result. */
function mixed(hash: number, word: number): number {
  let key = Math.imul(word, 0xcc9e2d51);
  key = Math.imul((key << 15) | (key >>> 17), 0x1b873593);
  const next = hash ^ key;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

/** Its end, after which each bit depends on all others. */
function finished(hash: number): number {
  let end = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  end = Math.imul(end ^ (end >>> 13), 0xc2b2ae35);
  return end ^ (end >>> 16);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]));
}
