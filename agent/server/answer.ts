import { withoutNeeds } from '../../contract/actions.ts';
import { VARIABLES } from '../../haproxy/vocabulary.ts';
import { type Action, encodeActions, type Scope } from '../../spop/ack.ts';
import type { Decision } from '../decision/decision.ts';

/** A decision in the words of the wire: all it has to say, and the little that HAProxy's rules cannot do without. */
export interface Answer {
  readonly full: Uint8Array;
  readonly essential: Uint8Array;
  /** What is said where `tune.bufsize` is so small that even that is too much; absent where none of it can go. */
  readonly bare?: Uint8Array;
  /** What is said beside `full` and depends on the request. */
  readonly suffix?: Suffix;
  /** The reference id of a denied request, said beside the others where it fits; it is part of `suffix` too. */
  readonly reference?: Suffix;
}

/** What is said of an answer. */
export interface Said {
  readonly actions: Uint8Array;
  readonly suffix: Suffix | undefined;
}

/** Actions that are written where they are sent from. */
export interface Suffix {
  readonly maxBytes: number;
  /** Writes at `at` and returns the position after it. */
  write(out: Uint8Array, at: number): number;
}

/** One after the other. */
export function inTurn(first: Suffix, second: Suffix): Suffix {
  return {
    maxBytes: first.maxBytes + second.maxBytes,
    write: (out, at) => second.write(out, first.write(out, at)),
  };
}

export const NO_ANSWER: Answer = { full: new Uint8Array(0), essential: new Uint8Array(0) };

/** Where the variables of a message are set, and which of an entry's HAProxy has rules for. */
export interface Outlet {
  readonly scope: Scope;
  /** Before each name, where a group has variables of its own. */
  readonly group?: string;
  /** HAProxy's names of what an entry can say beside its action, by the names that the entry has for them. */
  readonly vars: ReadonlyMap<string, string>;
}

/** What of it can be said in so many bytes; where not even `bare` can, that. */
export function within(maxBytes: number, { full, essential, bare = essential, suffix, reference }: Answer): Said {
  if (fits(maxBytes, full, suffix)) return { actions: full, suffix };
  const actions = essential.length <= maxBytes ? essential : bare;
  return { actions, suffix: fits(maxBytes, actions, reference) ? reference : undefined };
}

export function fits(maxBytes: number, actions: Uint8Array, suffix: Suffix | undefined): boolean {
  return actions.length + (suffix === undefined ? 0 : suffix.maxBytes) <= maxBytes;
}

/** The actions that tell a decision; one about the asked address itself names that as `entry`, which comes last. */
export function answerOf(decision: Decision, outlet: Outlet, address: string | undefined): Answer {
  const set = (name: string, value: string): Action => setVariable(outlet, name, { type: 'string', value });
  const essential = outcomeOf(decision, outlet);
  const outcomeLength = essential.length;
  for (const [name, value] of Object.entries(applied(decision))) {
    const variable = outlet.vars.get(name);
    if (variable !== undefined) essential.push(set(variable, value));
  }
  const details: Action[] = [];
  if (decision.shadow !== undefined) details.push(set(VARIABLES.shadow, decision.shadow));
  if (decision.reason !== undefined) details.push(set(VARIABLES.reason, decision.reason));
  if (decision.list !== undefined) details.push(set(VARIABLES.list, decision.list));
  const entry = decision.ofAddress ? address : decision.entry;
  if (entry !== undefined) details.push(set(VARIABLES.entry, entry));
  const encode = (said: readonly Action[]) => encodeActions([...takenBack(outlet, said), ...said]);
  return {
    full: encode([...essential, ...details]),
    essential: encode(essential),
    ...(essential.length > outcomeLength && { bare: encode(outcomeOf(withoutVars(decision), outlet)) }),
  };
}

/**
 * The variables of a connection outlive the request: of what an earlier one was told on it, all that this decision does not
 * say is unset. They come first, as what comes last may be completed with the address.
 */
function takenBack({ scope, vars }: Outlet, said: readonly Action[]): Action[] {
  if (scope !== 'sess') return [];
  const names = new Set([...Object.values(VARIABLES), ...vars.values()]);
  for (const { name } of said) names.delete(name);
  return [...names].map((name) => ({ type: 'unset-var', scope, name }));
}

/** What is only logged applies nothing, so nothing is there that a rule could apply. */
function applied({ action, vars = {} }: Decision): NonNullable<Decision['vars']> {
  return action === 'log' ? {} : vars;
}

function outcomeOf({ action, source, status }: Decision, outlet: Outlet): Action[] {
  const set = (name: string, value: string): Action => setVariable(outlet, name, { type: 'string', value });
  const outcome = [set(VARIABLES.action, action), set(VARIABLES.source, source)];
  if (status !== undefined)
    outcome.push(setVariable(outlet, VARIABLES.status, { type: 'int64', value: BigInt(status) }));
  return outcome;
}

/** What is nearest to it without what it would say beside: what stops a request still stops it. */
function withoutVars({ action, source, status }: Decision): Decision {
  const instead = withoutNeeds(action);
  if (instead !== action) return { action: instead, source };
  return { action, source, ...(status !== undefined && { status }) };
}

export function setVariable(
  { scope, group }: Outlet,
  name: string,
  value: (Action & { type: 'set-var' })['value'],
): Action {
  return { type: 'set-var', scope, name: group === undefined ? name : `${group}.${name}`, value };
}

/** What is said, as bytes of its own. */
export function joined({ actions, suffix }: Said): Uint8Array {
  if (suffix === undefined) return actions;
  const bytes = new Uint8Array(actions.length + suffix.maxBytes);
  bytes.set(actions);
  return bytes.subarray(0, suffix.write(bytes, actions.length));
}
