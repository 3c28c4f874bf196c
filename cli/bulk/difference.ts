import { isDeepStrictEqual } from 'node:util';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { printable } from '../../contract/printable.ts';
import type { Sorted } from './external-sort.ts';

/** One change that makes a list equal to its source. */
export type Difference =
  | { readonly kind: 'add'; readonly entry: StoredEntry }
  | { readonly kind: 'change'; readonly entry: StoredEntry; readonly was: Item }
  | { readonly kind: 'remove'; readonly was: Item };

/** Tolerates the drift of sources that give the remaining time of an entry. */
const EXPIRY_TOLERANCE_SECONDS = 60;

/** The attributes that come from the source; `createdBy` and `createdAt` do not. */
const DECIDED = ['action', 'reason', 'status', 'vars', 'note'] as const;

/**
 * Whether the item equals the entry of the source. Items edited by hand can have attributes of any type. An item with the
 * same lifetime counts as equal until less than half of it is left.
 */
export function isSame(wanted: StoredEntry, item: Item): boolean {
  const found = { ...item, action: item.action ?? 'deny' } as Item;
  return DECIDED.every((name) => isDeepStrictEqual(wanted[name], found[name])) && isSameExpiry(wanted, item);
}

function isSameExpiry({ expiresAt: wanted, createdAt = '' }: StoredEntry, item: Item): boolean {
  const { expiresAt: found } = item;
  if (wanted === undefined || typeof found !== 'number') return wanted === found;
  const nowMs = Date.parse(createdAt);
  const seconds = wanted - nowMs / 1000;
  if (lastsAsLong(item, seconds)) return !isHalfOver(item, seconds, nowMs);
  const tolerance = seconds < 2 * EXPIRY_TOLERANCE_SECONDS ? seconds / 2 : EXPIRY_TOLERANCE_SECONDS;
  return Math.abs(wanted - found) <= tolerance;
}

/** Whether less than half of the lifetime, `seconds`, of an item is left. */
export function isHalfOver(item: Item, seconds: number, nowMs: number): boolean {
  return lastsAsLong(item, seconds) && Number(item.expiresAt) - nowMs / 1000 < seconds / 2;
}

/** `createdAt` is the time of the run, accurate to a second. */
function lastsAsLong({ expiresAt, createdAt }: Item, seconds: number): boolean {
  return Math.abs(Number(expiresAt) - Date.parse(String(createdAt)) / 1000 - seconds) <= 1;
}

/** One line of a dry run: the new action, and the old one if it differs. */
export function lineOf(one: Difference): string {
  const before = one.kind === 'add' ? '' : printable(String(one.was.action ?? 'deny'));
  if (one.kind === 'remove') return `- ${printable(String(one.was.subject))} ${before}`;
  const { subject, action } = one.entry;
  if (one.kind === 'add') return `+ ${subject} ${action}`;
  return `~ ${subject} ${before === action ? action : `${before} → ${action}`}`;
}

/** Yields the differences of two sequences that are sorted by key. */
export async function* differences(
  wanted: AsyncIterable<Sorted<StoredEntry>>,
  present: AsyncIterable<Sorted<Item>>,
): AsyncGenerator<Difference> {
  const [left, right] = [wanted[Symbol.asyncIterator](), present[Symbol.asyncIterator]()];
  let [one, other] = await Promise.all([left.next(), right.next()]);
  while (one.done !== true || other.done !== true) {
    if (one.done !== true && (other.done === true || one.value.key < other.value.key)) {
      yield { kind: 'add', entry: one.value.value };
      one = await left.next();
    } else if (other.done !== true && (one.done === true || other.value.key < one.value.key)) {
      yield { kind: 'remove', was: other.value.value };
      other = await right.next();
    } else if (one.done !== true && other.done !== true) {
      if (!isSame(one.value.value, other.value.value))
        yield { kind: 'change', entry: one.value.value, was: other.value.value };
      [one, other] = await Promise.all([left.next(), right.next()]);
    }
  }
}
