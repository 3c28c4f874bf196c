import { isDenied, withoutNeeds } from '../../contract/actions.ts';
import { VARIABLES } from '../../haproxy/variables.ts';
import { type Action, encodeActions, type Scope } from '../../spop/ack.ts';
import type { AckActions } from '../../spop/ack-payload.ts';
import type { Decision } from '../decision/decision.ts';
import { REFERENCE_DIGITS } from './reference-id.ts';

/** Where the variables of a message are set, and which variables of entries HAProxy has rules for. */
export interface VariableTarget {
  readonly scope: Scope;
  /** The prefix of each name, where a group has variables of its own. */
  readonly group?: string;
  /** HAProxy's names of the variables of entries, by the names in the entry. */
  readonly vars: ReadonlyMap<string, string>;
}

export interface EncodedActions extends AckActions {
  /** Where `full` has the digits of the reference id, which are zeros as yet; 0 if it has none. */
  readonly referenceAt: number;
}

/** `address` is the `ip` subject of the request. A decision by its own entry has that as `entry`, which comes last. */
export function encodeDecision(
  decision: Decision,
  target: VariableTarget,
  address: string | undefined,
): EncodedActions {
  const set = (name: string, value: string): Action => setVariable(target, name, { type: 'string', value });
  const essential = outcomeActions(decision, target);
  const outcomeLength = essential.length;
  for (const [name, value] of Object.entries(enforcedVars(decision))) {
    const variable = target.vars.get(name);
    if (variable !== undefined) essential.push(set(variable, value));
  }
  const details: Action[] = [];
  if (decision.shadow !== undefined) details.push(set(VARIABLES.shadow, decision.shadow));
  if (decision.reason !== undefined) details.push(set(VARIABLES.reason, decision.reason));
  if (decision.list !== undefined) details.push(set(VARIABLES.list, decision.list));
  const isReferred = isDenied(decision.action);
  if (isReferred) details.push(referenceAction(target));
  const entry = decision.ofAddress ? address : decision.entry;
  const last = entry === undefined ? [] : [set(VARIABLES.entry, entry)];
  const encode = (actions: readonly Action[]) => encodeActions([...unsetStale(target, actions), ...actions]);
  const full = encode([...essential, ...details, ...last]);
  return {
    full,
    referenceAt: isReferred ? full.length - encodeActions(last).length - REFERENCE_DIGITS : 0,
    essential: encode(essential),
    ...(essential.length > outcomeLength && { bare: encode(outcomeActions(withoutVars(decision), target)) }),
  };
}

/**
 * Variables in the scope of the connection outlive the request: unsets those of earlier requests that this decision does
 * not set. These actions come first, since the address may be written behind the last one.
 */
function unsetStale({ scope, vars }: VariableTarget, actions: readonly Action[]): Action[] {
  if (scope !== 'sess') return [];
  const names = new Set([...Object.values(VARIABLES), ...vars.values()]);
  for (const { name } of actions) names.delete(name);
  return [...names].map((name) => ({ type: 'unset-var', scope, name }));
}

/** The digits of the reference id are its last bytes, zeros as yet. */
export function referenceAction(target: VariableTarget): Action {
  return setVariable(target, VARIABLES.ref, { type: 'string', value: '0'.repeat(REFERENCE_DIGITS) });
}

/** A decision in shadow mode has no variables that a rule could apply. */
function enforcedVars({ action, vars = {} }: Decision): NonNullable<Decision['vars']> {
  return action === 'log' ? {} : vars;
}

function outcomeActions({ action, source, status }: Decision, target: VariableTarget): Action[] {
  const set = (name: string, value: string): Action => setVariable(target, name, { type: 'string', value });
  const outcome = [set(VARIABLES.action, action), set(VARIABLES.source, source)];
  if (status !== undefined)
    outcome.push(setVariable(target, VARIABLES.status, { type: 'int64', value: BigInt(status) }));
  return outcome;
}

/** The nearest decision that needs no variables: what stops a request still stops it. */
function withoutVars({ action, source, status }: Decision): Decision {
  const instead = withoutNeeds(action);
  if (instead !== action) return { action: instead, source };
  return { action, source, ...(status !== undefined && { status }) };
}

export function setVariable(
  { scope, group }: VariableTarget,
  name: string,
  value: (Action & { type: 'set-var' })['value'],
): Action {
  return { type: 'set-var', scope, name: group === undefined ? name : `${group}.${name}`, value };
}
