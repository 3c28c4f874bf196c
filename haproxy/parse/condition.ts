import type { Line } from './sections.ts';
import { every, not, some, type Tristate } from './tristate.ts';

/** What follows `if` or `unless`: any of these lists of terms must hold in full. */
export interface Condition {
  readonly isUnless: boolean;
  readonly anyOf: readonly (readonly Term[])[];
}

/** `{ expression … }` or the name of an ACL. */
export interface Term {
  readonly negated: boolean;
  readonly test: readonly string[] | string;
}

/** The value of a variable: a text, unset (`null`), or unknown (`undefined`). */
export type Values = (variable: string) => string | null | undefined;

/** The named ACLs of a proxy; several lines of one name are alternatives. */
export type Acls = ReadonlyMap<string, readonly (readonly string[])[]>;

export function readAcls(lines: readonly Line[]): Acls {
  const acls = new Map<string, (readonly string[])[]>();
  for (const { words } of lines) {
    const [keyword, name = '', ...test] = words;
    if (keyword === 'acl') acls.set(name, [...(acls.get(name) ?? []), test]);
  }
  return acls;
}

/** The condition in the words of a rule, and where it begins. */
export function readCondition(words: readonly string[]): { readonly condition?: Condition; readonly at: number } {
  const at = words.findIndex((word, index) => index > 0 && (word === 'if' || word === 'unless'));
  if (at < 0) return { at: words.length };
  return { condition: { isUnless: words[at] === 'unless', anyOf: readTerms(words.slice(at + 1)) }, at };
}

function readTerms(words: readonly string[]): Term[][] {
  const anyOf: Term[][] = [[]];
  let negated = false;
  for (let at = 0; at < words.length; at++) {
    let word = words[at] ?? '';
    if (word === 'or' || word === '||') {
      anyOf.push([]);
      continue;
    }
    while (word.startsWith('!')) {
      negated = !negated;
      word = word.slice(1);
    }
    if (word === '') continue;
    const closing = word === '{' ? words.indexOf('}', at) : -1;
    const end = closing < 0 ? words.length : closing;
    anyOf.at(-1)?.push({ negated, test: word === '{' ? words.slice(at + 1, end) : word });
    if (word === '{') at = end;
    negated = false;
  }
  return anyOf;
}

/** What is known of a single test. */
export type Truth = (test: readonly string[]) => Tristate;

/** Whether a rule with this condition applies for these values. */
export function holds(condition: Condition | undefined, acls: Acls, values: Values): Tristate {
  return holdsGiven(condition, acls, (test) => testHolds(test, values));
}

/** Whether a rule with this condition applies if its tests are as told. */
export function holdsGiven(condition: Condition | undefined, acls: Acls, truth: Truth): Tristate {
  if (condition === undefined) return true;
  const any = some(condition.anyOf.map((terms) => every(terms.map((term) => termHolds(term, acls, truth)))));
  return condition.isUnless ? not(any) : any;
}

/** Every test of a condition, with its ACLs resolved. */
export function testsOf(condition: Condition | undefined, acls: Acls): readonly (readonly string[])[] {
  const terms = condition?.anyOf.flat() ?? [];
  return terms.flatMap(({ test }) => (typeof test === 'string' ? (acls.get(test) ?? []) : [test]));
}

/** The tests in the words of one line: of an ACL, or in the braces of a rule. */
export function testsIn(words: readonly string[]): readonly (readonly string[])[] {
  if (words[0] === 'acl') return [words.slice(2)];
  return testsOf(readCondition(words).condition, new Map());
}

function termHolds({ negated, test }: Term, acls: Acls, truth: Truth): Tristate {
  const holds = typeof test === 'string' ? aclHolds(test, acls, truth) : truth(test);
  return negated ? not(holds) : holds;
}

function aclHolds(name: string, acls: Acls, truth: Truth): Tristate {
  const tests = acls.get(name);
  if (tests !== undefined) return some(tests.map(truth));
  if (name === 'TRUE') return true;
  return name === 'FALSE' ? false : truth([name]);
}

/** A sample, its flags and its patterns, as after `acl NAME` or in braces. */
export interface Test {
  readonly expression: string;
  readonly method: string;
  readonly ignoresCase: boolean;
  /** Undefined where they come from a file. */
  readonly patterns?: readonly string[];
}

export function readTest(words: readonly string[]): Test {
  const [expression = '', ...rest] = words;
  let method = '';
  let ignoresCase = false;
  let fromFile = false;
  let at = 0;
  for (; at < rest.length && rest[at]?.startsWith('-'); at++) {
    const flag = rest[at];
    if (flag === '-i') ignoresCase = true;
    else if (flag === '-m') method = rest[++at] ?? '';
    else if (flag === '-f') fromFile = true;
    else if (flag === '--' || /^-\d/.test(flag ?? '')) break;
    if (flag === '-f' || flag === '-u') at++;
  }
  const patterns = rest.slice(rest[at] === '--' ? at + 1 : at);
  return { expression, method, ignoresCase, ...(!fromFile && { patterns }) };
}

function testHolds(words: readonly string[], values: Values): Tristate {
  const { expression, method, ignoresCase, patterns } = readTest(words);
  if (/^(always_true|bool\((true|1)\))$/.test(expression)) return true;
  if (/^(always_false|bool\((false|0)\))$/.test(expression)) return false;
  const [, variable, fallback, converters = ''] = /^var\(\s*([\w.]+)\s*(?:,([^)]*))?\)(.*)$/.exec(expression) ?? [];
  if (variable === undefined) return undefined;
  const set = values(variable);
  if (set === undefined) return undefined;
  const value = set ?? fallback ?? null;
  if (value === null) return false;
  if (method === 'found') return true;
  if (converters !== '' || patterns === undefined) return undefined;
  if (method === 'bool') return /^(true|on|yes|[1-9]\d*)$/.test(value);
  return matches(value, method, patterns, ignoresCase);
}

function matches(value: string, method: string, patterns: readonly string[], ignoresCase: boolean): Tristate {
  const fold = (text: string) => (ignoresCase ? text.toLowerCase() : text);
  const any = (isMatch: (pattern: string) => boolean) => patterns.some((pattern) => isMatch(fold(pattern)));
  const folded = fold(value);
  switch (method) {
    case 'str':
      return any((pattern) => folded === pattern);
    case 'beg':
      return any((pattern) => folded.startsWith(pattern));
    case 'end':
      return any((pattern) => folded.endsWith(pattern));
    case 'sub':
      return any((pattern) => folded.includes(pattern));
    case 'int':
      return patterns.every((pattern) => /^\d+$/.test(pattern)) ? patterns.includes(value) : undefined;
    default:
      return undefined;
  }
}
