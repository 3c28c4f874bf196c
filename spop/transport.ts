/**
 * What the connection needs of a socket.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { Transport } from 'haverdict-spop';
 *
 * const written: Uint8Array[] = [];
 * const transport: Transport = {
 *   write: (bytes) => written.push(bytes.slice()) > 0, // a copy is kept, so the bytes may be overwritten
 *   end() {},
 * };
 * assert.ok(transport.write(Uint8Array.of(1)));
 * ```
 */
export interface Transport {
  /** Sends bytes; returns true if the caller may overwrite them now. */
  write(bytes: Uint8Array): boolean;
  /** Closes once everything is sent. */
  end(): void;
  /** Where it comes from, as `203.0.113.7:51234`, for messages; absent for a unix socket. */
  readonly peer?: string | undefined;
}

/**
 * Time and timers, which a test can keep in hand.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { Clock } from 'haverdict-spop';
 *
 * const stopped: Clock = { nowMs: () => 1000, after: () => () => {} }; // for a test
 * assert.equal(stopped.nowMs(), 1000);
 * ```
 */
export interface Clock {
  /** A monotonic time in milliseconds. */
  nowMs(): number;
  /** Runs `task` once after this many milliseconds, unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}

/**
 * The clock and the timers of this process.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { systemClock } from 'haverdict-spop';
 *
 * const cancel = systemClock.after(60_000, () => {});
 * assert.ok(systemClock.nowMs() > 0);
 * cancel();
 * ```
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
