import { ACTIONS } from '../../contract/actions.ts';
import { isPermitted } from '../../contract/permitted-actions.ts';
import { standing } from '../../contract/precedence.ts';
import type { AskedLists } from './asked-lists.ts';
import type { EntryClasses } from './entry-classes.ts';
import { BESIDE, classOf, entryValue, listOf, NEVER } from './entry-value.ts';
import type { EntryLength, Finder } from './finder.ts';

/** Where no entry stands. */
const NOWHERE = 0x7fff_ffff;

/** Where entries stand, by the numbers of their lists and actions. */
export class Standings {
  readonly #standings: Int32Array;
  readonly #classes: EntryClasses;

  /** `names` are the lists by number. */
  constructor(
    { lists, shadowLists = [], listActions = {} }: AskedLists,
    names: readonly string[],
    classes: EntryClasses,
  ) {
    this.#classes = classes;
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

  /** Where an entry stands but for its specificity; undefined if it does not count at this moment, in milliseconds since 1970. */
  of(value: number, expiry: number, epochMs: number): number | undefined {
    const at = this.at(value, expiry, epochMs);
    return at === NOWHERE ? undefined : at;
  }

  /** The same, NOWHERE for undefined. */
  at(value: number, expiry: number, epochMs: number): number {
    if (expiry !== NEVER && (expiry >>> 0) * 1000 <= epochMs) return NOWHERE;
    const action = this.#classes.actions[classOf(value)] ?? 0; // no class has such a number if memory is faulty
    return this.#standings[entryValue(action, listOf(value))] as number;
  }
}

/** Finds the entry that wins. One object is used again and again. */
export class Search implements Finder {
  readonly #standings: Standings;
  #epochMs = 0;
  #at = NOWHERE;
  /** The winner, 0 if there is none, and the length of its prefix. */
  value = 0;
  prefix = 0;
  /** Whether there are entries under other keys, which may precede the winner. */
  isBeside = false;

  constructor(standings: Standings) {
    this.#standings = standings;
  }

  begin(epochMs: number): void {
    this.#epochMs = epochMs;
    this.#at = NOWHERE;
    this.value = 0;
    this.isBeside = false;
  }

  needs(least: number): boolean {
    return least < this.#at && !this.isBeside;
  }

  found(value: number, expiry: number, of: EntryLength): void {
    if ((value & BESIDE) !== 0) {
      this.isBeside = true;
      return;
    }
    const own = this.#standings.at(value, expiry, this.#epochMs);
    if (own === NOWHERE || own + of.bySpecificity >= this.#at) return;
    this.#at = own + of.bySpecificity;
    this.value = value;
    this.prefix = of.prefix;
  }
}

/** An entry, or the mark of entries under other keys, of a network of this length. */
export interface Covering {
  readonly value: number;
  readonly expiry: number;
  readonly prefix: number;
}

/** Takes all of them. */
export class Collected implements Finder {
  readonly all: Covering[] = [];

  needs(): boolean {
    return true;
  }

  found(value: number, expiry: number, { prefix }: EntryLength): void {
    this.all.push({ value, expiry, prefix });
  }
}
