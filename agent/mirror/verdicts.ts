import type { Entry } from '../../contract/check.ts';
import type { Address } from '../decision/address.ts';
import { type Decision, decisionOf, type Source } from '../decision/decision.ts';
import { AddressKey } from './address-key.ts';
import type { AskedLists } from './asked-lists.ts';
import type { EntryClasses } from './entry-classes.ts';
import { classOf, listOf, NEVER } from './entry-value.ts';

/** What a mirror knows of a subject. Equal ones of addresses are mostly the same object. */
export interface MirrorVerdict {
  /** The decision while the mirror is live; absent if the backend has to be asked: about kinds with too many entries, and for details that are not kept. */
  readonly live: Decision | undefined;
  /** For when the backend cannot be asked: without details that are not kept. Absent if nothing is known. */
  readonly stale: Decision | undefined;
}

/** An entry as the function answers it; `isWhole` if it has all details. */
export interface KnownEntry {
  readonly entry: Entry;
  readonly isWhole: boolean;
}

export const NOTHING_LISTED: MirrorVerdict = { live: decisionOf(null, 'mirror'), stale: decisionOf(null, 'stale') };
export const NOTHING_KNOWN: MirrorVerdict = { live: undefined, stale: undefined };

/** Places of the verdicts of networks that are kept, two at each: about a kilobyte with its encoding. */
const PLACE_BITS = 11;

interface Kept {
  /** The class of the entry, as its number may be that of another one now. */
  readonly of: object;
  readonly verdict: MirrorVerdict;
}

interface KeptNetwork extends Kept {
  readonly value: number;
  readonly a: number;
  readonly b: number;
  readonly prefix: number;
}

/** The verdicts of entries of addresses, made once for equal ones. */
export class Verdicts {
  readonly #asked: AskedLists;
  readonly #names: readonly string[];
  readonly #classes: EntryClasses;
  /** Of entries for the very address, by list and class. */
  readonly #own: Kept[][];
  readonly #networks: (KeptNetwork | undefined)[] = new Array(2 << PLACE_BITS).fill(undefined);
  readonly #at = new AddressKey();

  constructor(asked: AskedLists, names: readonly string[], classes: EntryClasses) {
    this.#asked = asked;
    this.#names = names;
    this.#classes = classes;
    this.#own = names.map(() => []);
  }

  /** The verdict of an address by its entry with a prefix of this length. */
  ofAddress(address: Address, value: number, prefix: number): MirrorVerdict {
    const of = this.#classes.of(classOf(value));
    const isOwn = prefix === (address.words === 1 ? 32 : address.ipv6Prefix);
    return isOwn ? this.#ofOwn(of, value) : this.#ofNetwork(address, of, value, prefix);
  }

  /** The entry of a subject by its value. */
  entryOf(subject: string, value: number, expiry: number): KnownEntry {
    const list = this.#names[listOf(value)] as string; // all lists have names
    const of = this.#classes.of(classOf(value));
    const { action, ...details } = of ?? { action: this.#classes.action(classOf(value)) };
    const expires = expiry === NEVER ? {} : { expiresAt: expiry >>> 0 };
    const isShadow = action !== 'log' && this.#asked.shadowLists?.includes(list);
    const { reason } = { reason: undefined, ...details };
    const told = isShadow
      ? { action: 'log' as const, shadow: action, ...(reason !== undefined && { reason }) }
      : { action, ...details };
    return { entry: { subject, list, ...told, ...expires }, isWhole: of !== undefined };
  }

  #ofOwn(of: object | undefined, value: number): MirrorVerdict {
    const ofList = this.#own[listOf(value)] as Kept[]; // there is one for each list
    const kept = ofList[classOf(value)];
    if (kept !== undefined && kept.of === of) return kept.verdict;
    const verdict = verdictOf(this.entryOf('', value, NEVER), '');
    if (of !== undefined) ofList[classOf(value)] = { of, verdict };
    return verdict;
  }

  /** Of two that are kept at a place the one that was used last is the first. */
  #ofNetwork(address: Address, of: object | undefined, value: number, prefix: number): MirrorVerdict {
    this.#at.readNetwork(address, prefix);
    const { a, b } = this.#at;
    const place = (Math.imul(a ^ Math.imul(b, 31), 0x9e3779b1) >>> (32 - PLACE_BITS)) * 2;
    const [first, second] = [this.#networks[place], this.#networks[place + 1]];
    const isIt = (kept: KeptNetwork | undefined) =>
      kept?.of === of && kept?.value === value && kept.a === a && kept.b === b && kept.prefix === prefix;
    if (first !== undefined && isIt(first)) return first.verdict;
    const isSecond = second !== undefined && isIt(second);
    const verdict = isSecond ? second.verdict : verdictOf(this.entryOf(this.#at.subject, value, NEVER));
    if (of === undefined) return verdict;
    this.#networks[place + 1] = first;
    this.#networks[place] = isSecond ? second : { of, value, verdict, a, b, prefix };
    return verdict;
  }
}

/** The verdict by an entry; one of this address, if it is about an address, is called that. */
export function verdictOf({ entry, isWhole }: KnownEntry, address?: string): MirrorVerdict {
  const decision = (source: Source): Decision => {
    const { entry: told, ...rest } = decisionOf(entry, source);
    return entry.subject === address
      ? { ...rest, ofAddress: true }
      : { ...rest, ...(told !== undefined && { entry: told }) };
  };
  return { live: isWhole ? decision('mirror') : undefined, stale: decision('stale') };
}
