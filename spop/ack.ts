import { type Cursor, decodeText } from './cursor.ts';
import { invalidFrame } from './errors.ts';
import { encodeFrame, type Frame, FrameType } from './frame.ts';
import { PayloadWriter } from './payload-writer.ts';
import { type ReceivedData, readData, type TypedData, writeData } from './typed-data.ts';

/** The scope of a variable, one raw byte on the wire (SPOE.txt 3.4). */
export const Scope = { proc: 0, sess: 1, txn: 2, req: 3, res: 4 } as const;
/** The name of a scope, as HAProxy's configuration writes it. */
export type Scope = keyof typeof Scope;

const ActionType = { setVar: 1, unsetVar: 2 } as const;
const SET_VAR_ARGS = 3;
const UNSET_VAR_ARGS = 2;

/**
 * HAProxy drops other characters in silence, and builds `<scope>.<prefix>.<name>` in 64 bytes: a longer one is never
 * set, and before 3.5-dev5 makes it read past the buffer. 40 bytes leave room for a scope and a prefix of 18.
 */
export const VARIABLE_NAME = /^[A-Za-z0-9_.]{1,40}$/;

/** What an agent can make HAProxy do. Names are without scope and prefix. A null value unsets. */
export type Action =
  | { readonly type: 'set-var'; readonly scope: Scope; readonly name: string; readonly value: TypedData }
  | { readonly type: 'unset-var'; readonly scope: Scope; readonly name: string };

/**
 * Encodes actions once, for the ACKs of any number of NOTIFYs. Throws a `TypeError` for a name that HAProxy would drop
 * silently. HAProxy also ignores scopes that do not exist at the event: `res` before the response, `req` after it.
 */
export function encodeActions(actions: readonly Action[]): Uint8Array {
  const out = new PayloadWriter();
  for (const action of actions) appendAction(out, action);
  return out.finish();
}

/** Appends one action. */
export function appendAction(out: PayloadWriter, action: Action): void {
  checkName(action.name);
  if (action.type === 'set-var' && action.value.type !== 'null') {
    out.byte(ActionType.setVar).byte(SET_VAR_ARGS).byte(Scope[action.scope]).text(action.name);
    writeData(out, action.value);
  } else {
    out.byte(ActionType.unsetVar).byte(UNSET_VAR_ARGS).byte(Scope[action.scope]).text(action.name);
  }
}

/** A whole ACK frame: the ids exactly as the NOTIFY carried them, and encoded actions, which may be none. */
export function encodeAck(ids: Uint8Array, actions: Uint8Array): Uint8Array {
  return encodeFrame(FrameType.ack, ids, actions);
}

/** An action as received. */
export type ReceivedAction =
  | { readonly type: 'set-var'; readonly scope: Scope; readonly name: string; readonly value: ReceivedData }
  | { readonly type: 'unset-var'; readonly scope: Scope; readonly name: string };

/** Decodes the actions of an ACK, for HAProxy's side of the protocol; throws `SpopError` where HAProxy would stop. */
export function decodeAck(frame: Frame): ReceivedAction[] {
  const cursor = frame.payload();
  const actions: ReceivedAction[] = [];
  while (cursor.at < cursor.end) actions.push(readAction(cursor));
  return actions;
}

function readAction(cursor: Cursor): ReceivedAction {
  const type = cursor.byte();
  const args = cursor.byte();
  const scope = scopeNames[cursor.byte()];
  if (scope === undefined) throw invalidFrame('action with an unknown scope');
  const name = decodeText(cursor.take(cursor.length()));
  if (type === ActionType.setVar && args === SET_VAR_ARGS)
    return { type: 'set-var', scope, name, value: readData(cursor) };
  if (type === ActionType.unsetVar && args === UNSET_VAR_ARGS) return { type: 'unset-var', scope, name };
  throw invalidFrame(`action of type ${type} with ${args} arguments`);
}

const scopeNames = Object.keys(Scope) as Scope[]; // in the order of their numbers

function checkName(name: string): void {
  if (!VARIABLE_NAME.test(name)) throw new TypeError(`variable name "${name}" must be 1 to 40 of A-Z a-z 0-9 _ and .`);
}
