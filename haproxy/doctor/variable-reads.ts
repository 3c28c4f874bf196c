import { didYouMean } from '../../config/did-you-mean.ts';
import { type Acls, testsOf } from '../parse/condition.ts';
import type { HaproxyConfig, ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';
import { VARIABLES } from '../variables.ts';
import { NAMES, type OwnVariable } from './variable-names.ts';

/** The prefixes of our variables: correct ones, and mistaken ones. */
export interface Prefixes {
  readonly right: ReadonlySet<string>;
  readonly stray: ReadonlySet<string>;
  /** The groups of the configuration, whose variables have their name before them. */
  readonly groups: readonly string[];
}

/** The engine of another agent; its prefix is undefined where its file cannot be read. */
export interface ForeignEngine {
  readonly name: string;
  readonly prefix?: string;
}

const READ = /(?<![-\w])var\(\s*([\w.]+)/g;

/** The variables that these words read, in the order in which they do. */
export function readVariables(words: readonly string[]): string[] {
  return words.flatMap((word) => [...word.matchAll(READ)].map(([, variable]) => variable ?? ''));
}

/** Parses a variable if it is one of ours, with a correct prefix or a mistaken one. */
export function parseOwnVariable(variable: string, { right, stray, groups }: Prefixes): OwnVariable | undefined {
  const [, scope = '', rest = ''] = /^([a-z]+)\.(.+)$/.exec(variable) ?? [];
  const prefix = [...right, ...stray].find((prefix) => rest.startsWith(`${prefix}.`));
  if (prefix === undefined) return undefined;
  const name = rest.slice(prefix.length + 1);
  const group = groups.find((group) => name.startsWith(`${group}.`));
  if (group === undefined) return { variable, scope, prefix, name };
  return { variable, scope, prefix, group, name: name.slice(group.length + 1) };
}

/** Most checks ask this of every rule. */
const OWN_VARIABLES = new WeakMap<Prefixes, WeakMap<Rule, readonly OwnVariable[]>>();

/** Our variables that a rule reads, in its own words and in its ACLs. */
export function ownVariablesIn(rule: Rule, acls: Acls, prefixes: Prefixes): readonly OwnVariable[] {
  const known = OWN_VARIABLES.get(prefixes) ?? new WeakMap();
  OWN_VARIABLES.set(prefixes, known);
  const found = known.get(rule) ?? readOwnVariables(rule, acls, prefixes);
  known.set(rule, found);
  return found;
}

function readOwnVariables(rule: Rule, acls: Acls, prefixes: Prefixes): OwnVariable[] {
  const tests = testsOf(rule.condition, acls).flat();
  return readVariables([...rule.words, ...tests])
    .map((variable) => parseOwnVariable(variable, prefixes))
    .filter((own) => own !== undefined);
}

/** Whether the rule sets one of our variables, as those for `recentSeconds` do: it obeys nothing itself. */
export function setsOwnVariable({ action }: Rule, prefixes: Prefixes): boolean {
  const [, variable = ''] = /^(?:un)?set-var(?:-fmt)?\(([\w.]+)/.exec(action) ?? [];
  return parseOwnVariable(variable, prefixes) !== undefined;
}

/** The rules of a section that depend on the agent. */
export function rulesReadingDecisions(
  { rules, acls }: ProxySection,
  { prefixes }: { readonly prefixes: Prefixes },
): Rule[] {
  return rules.filter((rule) => !setsOwnVariable(rule, prefixes) && ownVariablesIn(rule, acls, prefixes).length > 0);
}

/**
 * Prefixes that were meant to be ours: they precede one of our names, and are either almost correct, or no correct one is read
 * anywhere. Prefixes of other engines are not ours, even with a variable `action`. The prefix of an engine that cannot be read
 * is not known, so that only an almost correct one is ours then, and not the name of that engine.
 */
export function strayPrefixes(
  { proxies }: HaproxyConfig,
  right: ReadonlySet<string>,
  foreign: readonly ForeignEngine[],
): ReadonlySet<string> {
  const read = proxies.flatMap(({ lines }) => lines.flatMap(({ words }) => readVariables(words)));
  const isRight = (variable: string) =>
    parseOwnVariable(variable, { right, stray: new Set(), groups: [] }) !== undefined;
  const mayGuess = !read.some(isRight) && foreign.every(({ prefix }) => prefix !== undefined);
  const taken = foreign.map(({ name, prefix }) => prefix ?? name);
  const stray = new Set<string>();
  for (const variable of read) {
    const [, prefix = '', name = ''] = /^[a-z]+\.(.+)\.([^.]+)$/.exec(variable) ?? [];
    if (!NAMES.includes(name) || isRight(variable) || taken.includes(prefix)) continue;
    if (didYouMean(prefix, [...right]) !== undefined || (mayGuess && name === VARIABLES.action)) stray.add(prefix);
  }
  return stray;
}
