import type { FrameReader } from './frame-reader.ts';

/** What a connection received, and when: connections that only take up room are found by this. */
export class ConnectionActivity {
  /** When bytes were received last; at first, when the connection was opened. */
  lastReceivedAtMs: number;
  /** Did HAProxy ever send a NOTIFY? */
  hasNotified = false;
  /** When the first byte of a frame came whose rest has not; undefined without such a frame. */
  partialSinceMs: number | undefined;
  /** The memory that partial frames take. */
  heldBytes = 0;
  /** How much has come of a partial frame. */
  partialBytes = 0;

  constructor(nowMs: number) {
    this.lastReceivedAtMs = nowMs;
  }

  /** A chunk of this many bytes came, and the reader has taken all whole frames out of it. */
  received(bytes: number, reader: FrameReader, nowMs: number): void {
    this.lastReceivedAtMs = nowMs;
    const before = this.partialBytes;
    this.partialBytes = reader.partialBytes;
    if (before === 0 && this.partialBytes === 0) return; // whole frames, as nearly always
    this.heldBytes = reader.heldBytes;
    // The frame is the same as before if the whole chunk was added to it.
    if (this.partialBytes === 0) this.partialSinceMs = undefined;
    else if (before === 0 || this.partialBytes !== before + bytes) this.partialSinceMs = nowMs;
  }
}
