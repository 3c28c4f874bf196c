/**
 * The encoded actions that answer a NOTIFY. The ACK has the first of `full`, `essential` and `bare` that fits.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type AckActions, encodeActions } from 'haverdict-spop';
 *
 * const set = (name: string) =>
 *   encodeActions([{ type: 'set-var', scope: 'txn', name, value: { type: 'bool', value: true } }]);
 * const answer: AckActions = { full: Buffer.concat([set('denied'), set('detail')]), essential: set('denied') };
 * assert.ok(answer.essential.length < answer.full.length);
 * ```
 */
export interface AckActions {
  readonly full: Uint8Array;
  readonly essential: Uint8Array;
  /** Sent even if it does not fit; absent where that is `essential`. */
  readonly bare?: Uint8Array;
  /** Written behind `full`. */
  readonly dynamic?: DynamicActions;
  /** Written behind `essential` and `bare` if it fits. */
  readonly essentialDynamic?: DynamicActions;
}

/**
 * Actions that differ from ACK to ACK: they are written into the output, without an object.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type DynamicActions, encodeActions } from 'haverdict-spop';
 *
 * let nth = 0;
 * const counter: DynamicActions = {
 *   maxBytes: 10,
 *   write(out, at) {
 *     const action = encodeActions([
 *       { type: 'set-var', scope: 'txn', name: 'n', value: { type: 'int64', value: BigInt(++nth) } },
 *     ]);
 *     out.set(action, at);
 *     return at + action.length;
 *   },
 * };
 * assert.equal(counter.write(new Uint8Array(10), 0), 7);
 * ```
 */
export interface DynamicActions {
  readonly maxBytes: number;
  /** Writes at `at` and returns the position after it. */
  write(out: Uint8Array, at: number): number;
}

/**
 * What one ACK has of them.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { NO_ACTIONS, type NotifyHandler } from 'haverdict-spop';
 *
 * const handler: NotifyHandler = { answer: () => NO_ACTIONS, overload: () => NO_ACTIONS };
 * assert.equal(NO_ACTIONS.full.length, 0);
 * assert.ok(handler);
 * ```
 */
export interface AckPayload {
  readonly actions: Uint8Array;
  readonly dynamic: DynamicActions | undefined;
}

/**
 * An answer that sets nothing.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { NO_ACTIONS, type NotifyHandler } from 'haverdict-spop';
 *
 * const handler: NotifyHandler = { answer: () => NO_ACTIONS, overload: () => NO_ACTIONS };
 * assert.equal(NO_ACTIONS.full.length, 0);
 * assert.ok(handler);
 * ```
 */
export const NO_ACTIONS: AckActions = { full: new Uint8Array(0), essential: new Uint8Array(0) };

/** So many questions of HAProxy wait on a connection; up to 3.0 `max-waiting-frames` can change it. */
export const HAPROXY_STREAMS = 20;
const ACK_HEADER_BYTES = 4 + 5 + 20;
/** Without pipelining one ACK waits unread, or two where HAProxy had given up the first. */
const UNPIPELINED_ACKS = 2;

/**
 * The largest payload of an ACK. From 3.1 to 3.5-dev5 a connection on which tune.bufsize bytes wait unread is dead for good. No
 * more than 20 ACKs can wait there, so none may be larger than a twentieth of what is left of the buffer.
 */
export function maxAckPayload(maxFrameSize: number, isPipelined: boolean): number {
  return Math.floor((maxFrameSize + 3) / (isPipelined ? HAPROXY_STREAMS : UNPIPELINED_ACKS)) - ACK_HEADER_BYTES;
}

/** The most that fits into this many bytes. */
export function fitted(
  maxBytes: number,
  { full, essential, bare = essential, dynamic, essentialDynamic }: AckActions,
): AckPayload {
  if (fits(maxBytes, full, dynamic)) return { actions: full, dynamic };
  const actions = essential.length <= maxBytes ? essential : bare;
  return { actions, dynamic: fits(maxBytes, actions, essentialDynamic) ? essentialDynamic : undefined };
}

export function fits(maxBytes: number, actions: Uint8Array, dynamic: DynamicActions | undefined): boolean {
  return actions.length + (dynamic === undefined ? 0 : dynamic.maxBytes) <= maxBytes;
}

/** The payload as bytes. */
export function payloadBytes({ actions, dynamic }: AckPayload): Uint8Array {
  if (dynamic === undefined) return actions;
  const bytes = new Uint8Array(actions.length + dynamic.maxBytes);
  bytes.set(actions);
  return bytes.subarray(0, dynamic.write(bytes, actions.length));
}
