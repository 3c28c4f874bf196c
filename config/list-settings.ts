import type { Action } from '../contract/actions.ts';
import type { ListActions } from '../contract/permitted-actions.ts';

/** An item of `lists` as written: a name, or a name with the actions that the list is restricted to. */
export type WrittenList = string | { readonly name: string; readonly actions: Action[] };

/** The names of the lists, and the actions of those that are restricted. */
export function toListSettings(written: readonly WrittenList[]): { lists: string[]; listActions: ListActions } {
  const restricted = written.flatMap((list) => (typeof list === 'string' ? [] : [[list.name, list.actions] as const]));
  return { lists: written.map(listName), listActions: Object.fromEntries(restricted) };
}

export function listName(list: WrittenList): string {
  return typeof list === 'string' ? list : list.name;
}

/** Describes a list: `drop (deny, tarpit only; shadow mode)`. */
export function describeList(
  name: string,
  { shadowLists, listActions }: { readonly shadowLists: readonly string[]; readonly listActions: ListActions },
): string {
  const restricted = Object.hasOwn(listActions, name) ? [`${listActions[name]?.join(', ')} only`] : [];
  const notes = [...restricted, ...(shadowLists.includes(name) ? ['shadow mode'] : [])];
  return notes.length === 0 ? name : `${name} (${notes.join('; ')})`;
}
