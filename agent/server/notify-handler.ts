import type { Frame } from '../../spop/frame.ts';
import type { FrameReader } from '../../spop/reader.ts';
import type { Answer } from './answer.ts';
import type { OutputBuffer } from './output.ts';

/** Answers NOTIFY frames. Throws `SpopError` for a payload that cannot be trusted; promises never reject. */
export interface NotifyHandler {
  /**
   * Appends the ACKs of the frames at the reader that it can answer at once, and moves the reader behind them. It may leave
   * any frame to `answer`, or return the answer to the frame at which it stopped: that is at the reader then.
   */
  answerUsual(
    reader: FrameReader,
    output: OutputBuffer,
    maxAckPayload: number,
    receivedAtMs: number,
  ): Answer | Promise<Answer> | undefined;
  /** An answer that is not a promise has to be written before the next call. */
  answer(frame: Frame, receivedAtMs: number, maxAckPayload: number): Answer | Promise<Answer>;
  /** Answers at once, since too many frames of this connection wait: from the cache, else by policy. */
  overload(frame: Frame, receivedAtMs: number, maxAckPayload: number): Answer;
}

/** The handler in force: a reload puts another in its place, and connections use that from their next frame on. */
export interface CurrentHandler {
  readonly current: NotifyHandler;
}
