import type { Rule } from './rules.ts';

/** The functions of a module of rules, by the names of their messages. Throws a `TypeError` that says what is wrong. */
export function functionsOf(module: unknown): ReadonlyMap<string, Rule> {
  // An imported module is an object, whatever it exports.
  const rules = (module as { readonly default?: unknown }).default;
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules))
    throw new TypeError('the default export must be an object of functions by message');
  const all = Object.entries(rules);
  if (all.length === 0) throw new TypeError('the default export has no function');
  for (const [name, rule] of all) if (typeof rule !== 'function') throw new TypeError(`${name} must be a function`);
  return new Map(all);
}
