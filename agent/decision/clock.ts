/** Time and timers, injected so that tests can control them. */
export interface Clock {
  /** A monotonic time in milliseconds, for durations; it goes on while the host is suspended. */
  nowMs(): number;
  /** Milliseconds since 1970, for `expiresAt` and the log. */
  epochMs(): number;
  /** Runs `task` once after this many milliseconds, unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}

/** How far the wall clock must be ahead of the monotonic one: less is scheduling between the two reads. */
const MIN_SUSPEND_MS = 1000;

/**
 * A monotonic time that counts a suspend, which Linux leaves out of its own: where the wall clock went on by more, that
 * counts, so that no verdict outlives a suspend. A wall clock that is set forward looks the same, and only ends verdicts early.
 */
export function countingSuspends(monotonicMs: () => number, epochMs: () => number): () => number {
  let suspendedMs = 0;
  let aheadMs = epochMs() - monotonicMs();
  return () => {
    const nowMs = monotonicMs();
    const nowAheadMs = epochMs() - nowMs;
    if (nowAheadMs - aheadMs > MIN_SUSPEND_MS) suspendedMs += nowAheadMs - aheadMs;
    aheadMs = nowAheadMs;
    return nowMs + suspendedMs;
  };
}

export const systemClock: Clock = {
  nowMs: countingSuspends(
    () => performance.now(),
    () => Date.now(),
  ),
  epochMs: () => Date.now(),
  after(delayMs, task) {
    if (delayMs === 0) {
      const next = setImmediate(task); // a timer waits for a millisecond
      return () => clearImmediate(next);
    }
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
