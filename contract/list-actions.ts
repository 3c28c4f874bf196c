import type { CheckRequest, Entry } from './check.ts';

/** The lists that are held to actions, by name; any other list may do everything. */
export type ListActions = Readonly<NonNullable<CheckRequest['listActions']>>;

/** Whether an entry, on trial or not, does what its list may do. One that does not counts as if it were not there. */
export function isWithin(
  listActions: ListActions,
  { list, action, shadow }: Pick<Entry, 'list' | 'action' | 'shadow'>,
): boolean {
  // a list may be called constructor
  return !Object.hasOwn(listActions, list) || (listActions[list]?.includes(shadow ?? action) ?? true);
}

/** Why an entry of a list that is held to actions does not count. */
export function heldText(list: string, listActions: ListActions): string {
  return `list ${list} is held to ${listActions[list]?.join(', ')}`;
}
