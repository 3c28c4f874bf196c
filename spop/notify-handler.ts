import type { AckActions } from './ack-payload.ts';
import type { Frame } from './frame.ts';
import type { FrameReader } from './frame-reader.ts';
import type { OutputBuffer } from './output-buffer.ts';

/**
 * Answers NOTIFY frames. Throws `SpopError` for a payload that cannot be trusted; promises never reject.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeNotify, encodeActions, NO_ACTIONS, type NotifyHandler } from 'haverdict-spop';
 *
 * const actions = encodeActions([{ type: 'set-var', scope: 'txn', name: 'seen', value: { type: 'bool', value: true } }]);
 * const handler: NotifyHandler = {
 *   answer: (frame) => (decodeNotify(frame).length > 0 ? { full: actions, essential: actions } : NO_ACTIONS),
 *   overload: () => NO_ACTIONS,
 * };
 * assert.ok(handler);
 * ```
 */
export interface NotifyHandler {
  /**
   * An optimization. Appends the ACKs of frames at the reader that it can answer at once, and moves the reader past them,
   * up to the first frame that it leaves to `answer`. It may return the answer to the frame at which it stopped; that frame must
   * be whole and sound, and stays at the reader.
   */
  answerUsual?(
    reader: FrameReader,
    output: OutputBuffer,
    maxAckPayload: number,
    receivedAtMs: number,
  ): AckActions | Promise<AckActions> | undefined;
  /** An answer that is not a promise has to be written before the next call. */
  answer(frame: Frame, receivedAtMs: number, maxAckPayload: number): AckActions | Promise<AckActions>;
  /** Answers a frame at once, although it cannot know all it should, because too many frames of this connection wait. */
  overload(frame: Frame, receivedAtMs: number, maxAckPayload: number): AckActions;
}

/**
 * The handler in force: a reload puts another in its place, and connections use that from their next frame on.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type CurrentHandler, NO_ACTIONS, type NotifyHandler } from 'haverdict-spop';
 *
 * const nothing: NotifyHandler = { answer: () => NO_ACTIONS, overload: () => NO_ACTIONS };
 * const handler: { -readonly [Key in keyof CurrentHandler]: CurrentHandler[Key] } = { current: nothing };
 * handler.failsChecks = true; // from now on, HAProxy asks other agents
 * assert.equal(handler.current, nothing);
 * ```
 */
export interface CurrentHandler {
  readonly current: NotifyHandler;
  /** From now on health checks fail, so that HAProxy asks other agents before the connections to this one close. */
  readonly failsChecks?: boolean;
  /**
   * How long after its question an answer comes at the latest. While a connection shuts down, answers may be held for so long;
   * after a second more, or so long if that is more, it ends. Without this, it ends when no answer is awaited.
   */
  readonly deadlineMs?: number;
  /** False: HAProxy waits for each ACK before it sends the next NOTIFY on that connection, and an ACK may be larger. */
  readonly isPipelined?: boolean;
}
