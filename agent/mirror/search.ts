import { ACTIONS } from '../../contract/actions.ts';
import { isPermitted } from '../../contract/permitted-actions.ts';
import { standing } from '../../contract/precedence.ts';
import type { AskedLists } from './asked-lists.ts';
import { BESIDE, classOf, entryValue, listOf } from './entry-value.ts';

/** Where no entry stands. */
const NOWHERE = 0x7fff_ffff;
/** An allow stands before this, and nothing that is less specific before it. */
const AFTER_ALLOWS = standing('deny', Number.POSITIVE_INFINITY, 0);

/** Is shown the entries that cover a subject, those of the longest prefixes first. */
export interface Finder {
  /** Whether no other can change the result. */
  readonly isOver: boolean;
  /** `bySpecificity` is the part of its standing that all entries of a network of this length have. */
  found(value: number, expiry: number, bySpecificity: number, prefix: number): void;
}

/** Where entries stand, by the numbers of their lists and actions. */
export class Standings {
  readonly #standings: Int32Array;
  readonly #actions: () => Uint8Array;

  /** `names` are the lists by number, `actions` the numbers of actions by that of a class, from 1 on. */
  constructor(
    { lists, shadowLists = [], listActions = {} }: AskedLists,
    names: readonly string[],
    actions: () => Uint8Array,
  ) {
    this.#actions = actions;
    this.#standings = new Int32Array(entryValue(ACTIONS.length + 1, 0)).fill(NOWHERE);
    for (const [number, list] of names.entries())
      for (const [index, action] of ACTIONS.entries())
        if (lists.includes(list) && isPermitted(listActions, { list, action }))
          this.#standings[entryValue(index + 1, number)] = standing(
            shadowLists.includes(list) ? 'log' : action,
            Number.POSITIVE_INFINITY,
            lists.indexOf(list),
          );
  }

  /** Where an entry stands but for its specificity; undefined if it does not count at this moment, in seconds since 1970. */
  of(value: number, expiry: number, now: number): number | undefined {
    const at = this.at(value, expiry, now);
    return at === NOWHERE ? undefined : at;
  }

  /** The same, NOWHERE for undefined. */
  at(value: number, expiry: number, now: number): number {
    if (expiry >>> 0 <= now) return NOWHERE;
    const action = this.#actions()[classOf(value)] ?? 0; // no class has such a number if memory is faulty
    return this.#standings[entryValue(action, listOf(value))] as number;
  }
}

/** Finds the entry that wins. One object is used again and again. */
export class Search implements Finder {
  readonly #standings: Standings;
  #now = 0;
  #at = NOWHERE;
  /** The winner, 0 if there is none, and the length of its prefix. */
  value = 0;
  prefix = 0;
  /** Whether there are entries under other keys, which may precede the winner. */
  isBeside = false;

  constructor(standings: Standings) {
    this.#standings = standings;
  }

  begin(now: number): void {
    this.#now = now;
    this.#at = NOWHERE;
    this.value = 0;
    this.isBeside = false;
  }

  get isOver(): boolean {
    return this.#at < AFTER_ALLOWS || this.isBeside;
  }

  found(value: number, expiry: number, bySpecificity: number, prefix: number): void {
    if ((value & BESIDE) !== 0) {
      this.isBeside = true;
      return;
    }
    const own = this.#standings.at(value, expiry, this.#now);
    if (own === NOWHERE || own + bySpecificity >= this.#at) return;
    this.#at = own + bySpecificity;
    this.value = value;
    this.prefix = prefix;
  }
}

/** An entry, or the mark of entries under other keys, of a network of this length. */
export interface Covering {
  readonly value: number;
  readonly expiry: number;
  readonly bySpecificity: number;
  readonly prefix: number;
}

/** Takes all of them. */
export class Collected implements Finder {
  readonly isOver = false;
  readonly all: Covering[] = [];

  found(value: number, expiry: number, bySpecificity: number, prefix: number): void {
    this.all.push({ value, expiry, bySpecificity, prefix });
  }
}
