import type { Decision } from '../decision/decision.ts';
import { type Action, encodeActions } from '../spop/ack.ts';
import { REQUEST_SCOPE, VARIABLES } from '../vocabulary.ts';

/** A decision in the words of the wire: all it has to say, and the little that HAProxy's rules cannot do without. */
export interface Answer {
  readonly full: Uint8Array;
  readonly essential: Uint8Array;
  /** What is said beside `full` and depends on the request. */
  readonly suffix?: Suffix;
}

/** Actions that are written where they are sent from. */
export interface Suffix {
  readonly maxBytes: number;
  /** Writes at `at` and returns the position after it. */
  write(out: Uint8Array, at: number): number;
}

export const NO_ANSWER: Answer = { full: new Uint8Array(0), essential: new Uint8Array(0) };

/** The actions that tell a decision; one about the asked address itself names that as `entry`, which comes last. */
export function answerOf(decision: Decision, address: string | undefined): Answer {
  const essential = [set(VARIABLES.action, decision.action), set(VARIABLES.source, decision.source)];
  if (decision.status !== undefined) essential.push(setNumber(VARIABLES.status, decision.status));
  const details: Action[] = [];
  if (decision.reason !== undefined) details.push(set(VARIABLES.reason, decision.reason));
  if (decision.list !== undefined) details.push(set(VARIABLES.list, decision.list));
  const entry = decision.ofAddress ? address : decision.entry;
  if (entry !== undefined) details.push(set(VARIABLES.entry, entry));
  return { full: encodeActions([...essential, ...details]), essential: encodeActions(essential) };
}

function set(name: string, value: string): Action {
  return { type: 'set-var', scope: REQUEST_SCOPE, name, value: { type: 'string', value } };
}

function setNumber(name: string, value: number): Action {
  return { type: 'set-var', scope: REQUEST_SCOPE, name, value: { type: 'int64', value: BigInt(value) } };
}
