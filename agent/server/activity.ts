import type { FrameReader } from '../../spop/reader.ts';

/** What a connection did, and when: by it those are found that only take up room. */
export class Activity {
  /** When bytes came last; at first, when it was opened. */
  heardAtMs: number;
  /** True once a NOTIFY came. */
  hasAsked = false;
  /** When the first byte of a frame came whose rest has not; undefined where there is none. */
  unfinishedSinceMs: number | undefined;
  /** The memory that frames which are not whole take. */
  heldBytes = 0;
  /** How much came of a frame whose rest has not. */
  unfinishedBytes = 0;

  constructor(nowMs: number) {
    this.heardAtMs = nowMs;
  }

  /** A chunk of so many bytes came, and the reader has taken all whole frames out of it. */
  heard(bytes: number, reader: FrameReader, nowMs: number): void {
    this.heardAtMs = nowMs;
    const before = this.unfinishedBytes;
    this.unfinishedBytes = reader.unfinishedBytes;
    if (before === 0 && this.unfinishedBytes === 0) return; // whole frames, as nearly always
    this.heldBytes = reader.heldBytes;
    // The frame goes on that had begun before if all of the chunk was added to it.
    if (this.unfinishedBytes === 0) this.unfinishedSinceMs = undefined;
    else if (before === 0 || this.unfinishedBytes !== before + bytes) this.unfinishedSinceMs = nowMs;
  }
}
