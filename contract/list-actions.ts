import type { CheckRequest, Entry } from './check.ts';

/** The lists that are restricted to actions, by name; any other list may do everything. */
export type ListActions = Readonly<NonNullable<CheckRequest['listActions']>>;

/** Whether the list of an entry may have its action, or the one it would have outside shadow mode. Else the entry does not count. */
export function isPermitted(
  listActions: ListActions,
  { list, action, shadow }: Pick<Entry, 'list' | 'action' | 'shadow'>,
): boolean {
  // a list may be called constructor
  return !Object.hasOwn(listActions, list) || (listActions[list]?.includes(shadow ?? action) ?? true);
}

/** Why an entry does not count, in one line; undefined where it does. */
export function listActionProblem(
  entry: Pick<Entry, 'list' | 'action' | 'shadow'>,
  listActions: ListActions,
): string | undefined {
  if (isPermitted(listActions, entry)) return undefined;
  const { list, action } = entry;
  return `${action} does not count: list ${list} is restricted to ${listActions[list]?.join(', ')}`;
}
