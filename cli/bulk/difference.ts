import { isDeepStrictEqual } from 'node:util';
import type { StoredEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { printable } from '../../contract/printable.ts';
import type { Sorted } from './external-sort.ts';

/** What makes a list equal to its source, for one subject. */
export type Difference =
  | { readonly kind: 'add'; readonly entry: StoredEntry }
  | { readonly kind: 'change'; readonly entry: StoredEntry; readonly was: Item }
  | { readonly kind: 'remove'; readonly was: Item };

/** Sources that tell how long an entry still lasts tell a little less each time. */
const EXPIRY_TOLERANCE_SECONDS = 60;

/** The attributes that a source decides; who wrote an entry, and when, is the table's. */
const DECIDED = ['action', 'reason', 'status', 'vars', 'note'] as const;

/**
 * Whether the item is already what the source wants. An item that anybody typed can have anything in it. One that was
 * written to last as long as is wanted now is the same until less than half of that is left.
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

/** Whether less than half is left of an item that was written to last so many seconds. */
export function isHalfOver(item: Item, seconds: number, nowMs: number): boolean {
  return lastsAsLong(item, seconds) && Number(item.expiresAt) - nowMs / 1000 < seconds / 2;
}

/** The time of writing is that of the run, to a second. */
function lastsAsLong({ expiresAt, createdAt }: Item, seconds: number): boolean {
  return Math.abs(Number(expiresAt) - Date.parse(String(createdAt)) / 1000 - seconds) <= 1;
}

/** One line of a dry run: what is done from now on, and what was done where that is another thing. */
export function lineOf(one: Difference): string {
  const before = one.kind === 'add' ? '' : printable(String(one.was.action ?? 'deny'));
  if (one.kind === 'remove') return `- ${printable(String(one.was.subject))} ${before}`;
  const { subject, action } = one.entry;
  if (one.kind === 'add') return `+ ${subject} ${action}`;
  return `~ ${subject} ${before === action ? action : `${before} → ${action}`}`;
}

/** Both sides in the order of their keys; what is equal on both is left out. */
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
