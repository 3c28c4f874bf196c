import { isDeepStrictEqual } from 'node:util';
import type { Edit } from '../../blocklist/records.ts';
import type { Item } from '../../blocklist/store.ts';

/** What takes an edit back, where the item is `was` now. */
export type StepBack =
  | { readonly kind: 'put'; readonly entry: Item; readonly was?: Item }
  | { readonly kind: 'remove'; readonly was: Item }
  /** It is as it was before. */
  | { readonly kind: 'none' }
  | { readonly kind: 'keep'; readonly why: string };

/**
 * An edit is taken back only if the item is as the edit left it. Entries that have ended count as gone: DynamoDB deletes
 * them at any time, and they are not written again.
 */
export function stepBack(edit: Edit, list: string, current: Item | undefined, nowSeconds: number): StepBack {
  const { subject, before, after, isIncomplete } = edit;
  if (isIncomplete)
    return { kind: 'keep', why: 'what was there is not recorded: it was no entry that a command writes' };
  const [now, left] = [unlessEnded(current, nowSeconds), unlessEnded(after, nowSeconds)];
  const aim = unlessEnded(before, nowSeconds);
  if (isSame(now, aim)) return { kind: 'none' };
  if (!isSame(now, left)) return { kind: 'keep', why: changedSince(current) };
  if (aim !== undefined)
    return { kind: 'put', entry: { ...aim, subject, list }, ...(current !== undefined && { was: current }) };
  return current === undefined ? { kind: 'none' } : { kind: 'remove', was: current };
}

function unlessEnded(item: Item | undefined, nowSeconds: number): Item | undefined {
  return typeof item?.expiresAt === 'number' && item.expiresAt <= nowSeconds ? undefined : item;
}

/** Apart from the key, and whether or not the items were read from the table. */
function isSame(one: Item | undefined, other: Item | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isDeepStrictEqual(detailsOf(one), detailsOf(other));
}

function detailsOf({ subject: _subject, list: _list, ...details }: Item): object {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}

function changedSince(current: Item | undefined): string {
  if (current === undefined) return 'removed since';
  const { createdBy, createdAt } = current;
  return `changed since${createdBy ? ` by ${createdBy}` : ''}${createdAt ? ` ${createdAt}` : ''}`;
}
