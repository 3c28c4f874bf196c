import type { Decision } from '../decision/decision.ts';
import { type Action, encodeActions } from '../spop/ack.ts';
import { REQUEST_SCOPE, VARIABLES } from '../vocabulary.ts';

/** A decision in the words of the wire: all it has to say, and the little that HAProxy's rules cannot do without. */
export interface Answer {
  readonly full: Uint8Array;
  readonly essential: Uint8Array;
}

export const NO_ANSWER: Answer = { full: new Uint8Array(0), essential: new Uint8Array(0) };

const answers = new WeakMap<Decision, Answer>();

/** The actions that tell a decision; equal decisions are encoded once. */
export function answerOf(decision: Decision): Answer {
  const known = answers.get(decision);
  if (known !== undefined) return known;
  const answer = encode(decision);
  answers.set(decision, answer);
  return answer;
}

function encode(decision: Decision): Answer {
  const essential = [set(VARIABLES.action, decision.action), set(VARIABLES.source, decision.source)];
  if (decision.status !== undefined) essential.push(setNumber(VARIABLES.status, decision.status));
  const details: Action[] = [];
  if (decision.reason !== undefined) details.push(set(VARIABLES.reason, decision.reason));
  if (decision.entry !== undefined) {
    details.push(set(VARIABLES.list, decision.entry.list), set(VARIABLES.entry, decision.entry.subject));
  }
  return { full: encodeActions([...essential, ...details]), essential: encodeActions(essential) };
}

function set(name: string, value: string): Action {
  return { type: 'set-var', scope: REQUEST_SCOPE, name, value: { type: 'string', value } };
}

function setNumber(name: string, value: number): Action {
  return { type: 'set-var', scope: REQUEST_SCOPE, name, value: { type: 'int64', value: BigInt(value) } };
}
