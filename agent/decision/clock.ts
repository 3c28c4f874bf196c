/** Time and timers, injected so that tests can control them. */
export interface Clock {
  /** A monotonic time in milliseconds, for durations. */
  nowMs(): number;
  /** Milliseconds since 1970, for `expiresAt` and the log. */
  epochMs(): number;
  /** Runs `task` once after this many milliseconds, unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
