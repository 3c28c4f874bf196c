import { variableFor } from './catalogue.ts';

/** Settings that have a new name, written as in the catalogue: `NAME` stands for a key that the operator chooses. */
export const RENAMED: readonly { readonly was: string; readonly now: string }[] = [
  { was: 'rules', now: 'script' },
  { was: 'policy.rules_error', now: 'policy.script_error' },
  { was: 'messages.NAME.policy.rules_error', now: 'messages.NAME.policy.script_error' },
];

/** The new path of the setting that was at this path. */
export function renamedPath(path: readonly PropertyKey[]): readonly PropertyKey[] | undefined {
  const renamed = RENAMED.find(({ was }) => matches(was.split('.'), path));
  if (renamed === undefined) return undefined;
  const chosen = path.filter((_, index) => renamed.was.split('.')[index] === 'NAME');
  return renamed.now.split('.').map((key) => (key === 'NAME' ? (chosen.shift() ?? key) : key));
}

/** The new variable of the setting that had this variable. */
export function renamedVariable(variable: string): string | undefined {
  const renamed = RENAMED.find(({ was }) => variableFor(was.split('.')) === variable);
  return renamed && variableFor(renamed.now.split('.'));
}

function matches(pattern: readonly string[], path: readonly PropertyKey[]): boolean {
  return pattern.length === path.length && pattern.every((key, index) => key === 'NAME' || key === path[index]);
}
