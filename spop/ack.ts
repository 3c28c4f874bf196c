import { type Cursor, decodeText } from './cursor.ts';
import { invalidFrame } from './errors.ts';
import { encodeFrame, type Frame, FrameType } from './frame.ts';
import { PayloadWriter } from './payload-writer.ts';
import { type ReceivedData, readData, type TypedData, writeData } from './typed-data.ts';

/**
 * The scope of a variable, one raw byte on the wire (SPOE.txt 3.4).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Scope } from 'haverdict-spop';
 *
 * assert.equal(Scope.txn, 2); // the byte of the scope of a transaction
 * const scopes: Scope[] = ['txn', 'sess'];
 * assert.ok(scopes.every((scope) => scope in Scope));
 * ```
 */
export const Scope = { proc: 0, sess: 1, txn: 2, req: 3, res: 4 } as const;
/** The name of a scope, as HAProxy's configuration writes it. */
export type Scope = keyof typeof Scope;

const ActionType = { setVar: 1, unsetVar: 2 } as const;
const SET_VAR_ARGS = 3;
const UNSET_VAR_ARGS = 2;

/**
 * HAProxy drops other characters in silence, and builds `<scope>.<prefix>.<name>` in 64 bytes: a longer one is never
 * set, and before 3.5-dev5 makes it read past the buffer. 40 bytes leave room for a scope and a prefix of 18.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { VARIABLE_NAME } from 'haverdict-spop';
 *
 * assert.ok(VARIABLE_NAME.test('client_kind'));
 * assert.ok(!VARIABLE_NAME.test('client-kind')); // HAProxy allows no dash
 * ```
 */
export const VARIABLE_NAME = /^[A-Za-z0-9_.]{1,40}$/;
/** The same in words. */
export const VARIABLE_NAME_RULE = '1 to 40 of A-Z a-z 0-9 _ and .';

/**
 * What an agent can make HAProxy do. Names are without scope and prefix. A null value unsets.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type Action, encodeActions } from 'haverdict-spop';
 *
 * const deny: Action = { type: 'set-var', scope: 'txn', name: 'action', value: { type: 'string', value: 'deny' } };
 * const forget: Action = { type: 'unset-var', scope: 'sess', name: 'user' };
 * assert.ok(encodeActions([deny, forget]).length > 0);
 * ```
 */
export type Action =
  | { readonly type: 'set-var'; readonly scope: Scope; readonly name: string; readonly value: TypedData }
  | { readonly type: 'unset-var'; readonly scope: Scope; readonly name: string };

/**
 * Encodes actions once, for the ACKs of any number of NOTIFYs. Throws a `TypeError` for a name that HAProxy would drop
 * silently. HAProxy also ignores scopes that do not exist at the event: `res` before the response, `req` after it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { encodeActions } from 'haverdict-spop';
 *
 * const actions = encodeActions([
 *   { type: 'set-var', scope: 'txn', name: 'score', value: { type: 'int64', value: 7n } },
 * ]);
 * assert.deepEqual([...actions], [1, 3, 2, 5, ...Buffer.from('score'), 4, 7]);
 * assert.throws(() => encodeActions([{ type: 'unset-var', scope: 'txn', name: 'a-b' }]), TypeError);
 * ```
 */
export function encodeActions(actions: readonly Action[]): Uint8Array {
  const out = new PayloadWriter();
  for (const action of actions) appendAction(out, action);
  return out.finish().slice(); // exactly as large, since it may be kept
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

/**
 * A whole ACK frame: the ids exactly as the NOTIFY carried them, and encoded actions, which may be none.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { encodeAck, NO_ACTIONS } from 'haverdict-spop';
 *
 * const ids = Uint8Array.of(1, 1); // stream and frame, as `Frame.copyIds` returns them
 * assert.equal(Buffer.from(encodeAck(ids, NO_ACTIONS.full)).toString('hex'), '0000000767000000010101');
 * ```
 */
export function encodeAck(ids: Uint8Array, actions: Uint8Array): Uint8Array {
  return encodeFrame(FrameType.ack, ids, actions);
}

/**
 * An action as received.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ReceivedAction } from 'haverdict-spop';
 *
 * const received: ReceivedAction = { type: 'unset-var', scope: 'txn', name: 'action' };
 * assert.equal(`${received.scope}.${received.name}`, 'txn.action');
 * ```
 */
export type ReceivedAction =
  | { readonly type: 'set-var'; readonly scope: Scope; readonly name: string; readonly value: ReceivedData }
  | { readonly type: 'unset-var'; readonly scope: Scope; readonly name: string };

/**
 * Decodes the actions of an ACK, for HAProxy's side of the protocol; throws `SpopError` where HAProxy would stop.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeAck, encodeAck, encodeActions, FrameReader } from 'haverdict-spop';
 *
 * const ids = Uint8Array.of(1, 1);
 * const ack = encodeAck(ids, encodeActions([{ type: 'unset-var', scope: 'txn', name: 'action' }]));
 * const reader = new FrameReader(16_380);
 * reader.push(ack);
 * const frame = reader.next();
 * assert.deepEqual(frame && decodeAck(frame), [{ type: 'unset-var', scope: 'txn', name: 'action' }]);
 * ```
 */
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
  if (!VARIABLE_NAME.test(name)) throw new TypeError(`variable name "${name}" must be ${VARIABLE_NAME_RULE}`);
}
