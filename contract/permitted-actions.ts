import type { CheckRequest, Entry } from './check.ts';

/** The permitted actions by list; a list without a key may use all. */
export type ListActions = Readonly<NonNullable<CheckRequest['listActions']>>;

/** Whether an entry's list may use its action, or the one it has outside shadow mode. Otherwise the entry is ignored. */
export function isPermitted(
  listActions: ListActions,
  { list, action, shadow }: Pick<Entry, 'list' | 'action' | 'shadow'>,
): boolean {
  // a list may be called constructor
  return !Object.hasOwn(listActions, list) || (listActions[list]?.includes(shadow ?? action) ?? true);
}

/** Why an entry is ignored, in one line; undefined if it is permitted. */
export function listActionProblem(
  entry: Pick<Entry, 'list' | 'action' | 'shadow'>,
  listActions: ListActions,
): string | undefined {
  if (isPermitted(listActions, entry)) return undefined;
  const { list, action } = entry;
  return `${action} does not count: list ${list} is restricted to ${listActions[list]?.join(', ')}`;
}
