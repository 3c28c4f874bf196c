import type { Outcome } from '../ipc.ts';
import type { ListedDecision } from '../script-types.ts';

/** The properties that a function can decide, and those it may leave in when it spreads the decision it was given. */
const DECIDED = ['action', 'reason', 'status', 'vars'];
const IGNORED = ['source', 'list', 'entry', 'shadow'];

/** Far above what a decision may have: these only bound what is sent to the agent. */
const MAX_VARS = 32;
const MAX_CHARACTERS = 4_096;

/** Turns a returned value into an outcome that is small enough to send; the agent validates it. */
export function toOutcome(value: unknown, given: ListedDecision): Outcome {
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
    return { type: 'failed', problem: `returned an unreadable value: ${String(error).slice(0, 200)}` };
  }
}

function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return `${value === null ? 'null' : `a ${typeof value}`}, not a decision`;
  const names = Object.keys(value);
  const unknown = names.find((name) => !DECIDED.includes(name) && !IGNORED.includes(name));
  if (unknown !== undefined)
    return `unknown property ${JSON.stringify(unknown.slice(0, 60))}, expected ${DECIDED.join(', ')}`;
  const { vars, ...plain } = value as Record<string, unknown>; // an object: checked above
  for (const name of DECIDED) if (!isSmall(plain[name])) return `a ${name} that is not a short string or a number`;
  if (vars === undefined) return undefined;
  if (typeof vars !== 'object' || vars === null || Array.isArray(vars)) return 'vars that are not an object';
  const all = Object.entries(vars);
  if (all.length > MAX_VARS) return `${all.length} vars, at most ${MAX_VARS} are allowed`;
  const wrong = all.find(([name, of]) => typeof of !== 'string' || of.length + name.length > MAX_CHARACTERS);
  return wrong === undefined ? undefined : `vars.${wrong[0].slice(0, 60)} that is not a short string`;
}

function isSmall(value: unknown): boolean {
  if (value === undefined || typeof value === 'number') return true;
  return typeof value === 'string' && value.length <= MAX_CHARACTERS;
}
