import type { Frame } from '../../spop/frame.ts';
import type { FrameReader } from '../../spop/reader.ts';
import type { Answer } from './answer.ts';
import type { NotifyHandler } from './connection.ts';
import type { OutputBuffer } from './output.ts';

/** Whoever answers now: a reload puts another in its place, and connections go on with that at their next frame. */
export class CurrentHandler implements NotifyHandler {
  current: NotifyHandler;

  constructor(first: NotifyHandler) {
    this.current = first;
  }

  answerKnown(reader: FrameReader, output: OutputBuffer, maxAckPayload: number, receivedAtMs: number): void {
    this.current.answerKnown(reader, output, maxAckPayload, receivedAtMs);
  }

  answer(frame: Frame, receivedAtMs: number, maxAckPayload: number): Answer | Promise<Answer> {
    return this.current.answer(frame, receivedAtMs, maxAckPayload);
  }

  overload(frame: Frame, receivedAtMs: number, maxAckPayload: number): Answer {
    return this.current.overload(frame, receivedAtMs, maxAckPayload);
  }
}
