import type { Outcome } from './messages.ts';
import type { RuleGiven } from './rules.ts';

/** What a function can say, and what it may have from the decision that it was given. */
const SAID = ['action', 'reason', 'status', 'vars'];
const GIVEN = ['source', 'list', 'entry', 'shadow'];

/** Far above what a decision may have; it only keeps nonsense from being sent between threads. */
const MAX_NAMES = 32;
const MAX_CHARACTERS = 4_096;

/** What a function returned, small enough to be sent; the checks that count are on the other side. */
export function returnedBy(value: unknown, given: RuleGiven): Outcome {
  if (value === undefined || value === given) return { type: 'kept' };
  try {
    const problem = problemOf(value);
    if (problem !== undefined) return { type: 'failed', problem: `returned ${problem}` };
    const { action, reason, status, vars } = value as Record<string, unknown>; // an object: checked above
    return {
      type: 'returned',
      returned: { action, reason, status, vars: vars === undefined ? vars : { ...(vars as object) } },
    };
  } catch (error) {
    return { type: 'failed', problem: `returned what cannot be read: ${String(error).slice(0, 200)}` };
  }
}

function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return `${value === null ? 'null' : `a ${typeof value}`}, not a decision`;
  const names = Object.keys(value);
  const unknown = names.find((name) => !SAID.includes(name) && !GIVEN.includes(name));
  if (unknown !== undefined) return `${JSON.stringify(unknown.slice(0, 60))}, which is none of ${SAID.join(', ')}`;
  const { vars, ...plain } = value as Record<string, unknown>; // an object: checked above
  for (const name of SAID) if (!isSmall(plain[name])) return `a ${name} that is no short text or number`;
  if (vars === undefined) return undefined;
  if (typeof vars !== 'object' || vars === null || Array.isArray(vars)) return 'vars that are no map';
  const all = Object.entries(vars);
  if (all.length > MAX_NAMES) return `${all.length} vars`;
  const wrong = all.find(([name, of]) => typeof of !== 'string' || of.length + name.length > MAX_CHARACTERS);
  return wrong === undefined ? undefined : `vars.${wrong[0].slice(0, 60)} that is no short text`;
}

function isSmall(value: unknown): boolean {
  if (value === undefined || typeof value === 'number') return true;
  return typeof value === 'string' && value.length <= MAX_CHARACTERS;
}
