import { type Condition, readCondition } from './condition.ts';
import type { Line, Place } from './sections.ts';

/** All rulesets, in the order in which HAProxy evaluates them. */
export const RULESETS = [
  'tcp-request connection',
  'tcp-request session',
  'tcp-request content',
  'http-request',
  'use_backend',
  'use-server',
  'tcp-response content',
  'http-response',
  'http-after-response',
] as const;
export type Ruleset = (typeof RULESETS)[number];

export interface Rule {
  readonly ruleset: Ruleset;
  /** `deny`, `set-var(txn.x)`, or the name of the backend after `use_backend`. */
  readonly action: string;
  /** The words between action and condition. */
  readonly args: readonly string[];
  readonly condition?: Condition;
  readonly words: readonly string[];
  readonly place: Place;
}

export function readRules(lines: readonly Line[]): Rule[] {
  return lines.map(readRule).filter((rule) => rule !== undefined);
}

function readRule({ words, place }: Line): Rule | undefined {
  const [first = '', second = ''] = words;
  // the old form of `http-request redirect`
  if (first === 'redirect') return ruleOf('http-request', 0, words, place);
  if (isRuleset(first)) return ruleOf(first, 1, words, place);
  const both = `${first} ${second}`;
  return isRuleset(both) ? ruleOf(both, 2, words, place) : undefined;
}

function ruleOf(ruleset: Ruleset, actionAt: number, words: readonly string[], place: Place): Rule {
  const { condition, at } = readCondition(words);
  const action = words[actionAt] ?? '';
  return { ruleset, action, args: words.slice(actionAt + 1, at), ...(condition && { condition }), words, place };
}

function isRuleset(text: string): text is Ruleset {
  return (RULESETS as readonly string[]).includes(text);
}
