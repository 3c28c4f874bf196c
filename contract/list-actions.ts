import type { CheckRequest, Entry } from './check.ts';

/** The lists that are held to actions, by name; any other list may do everything. */
export type ListActions = Readonly<NonNullable<CheckRequest['listActions']>>;

/** Whether an entry, on trial or not, does what its list may do. One that does not counts as if it were not there. */
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
