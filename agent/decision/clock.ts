/** Time and timers, handed to whatever needs them. */
export interface Clock {
  /** Milliseconds that only ever grow, for durations. */
  nowMs(): number;
  /** Milliseconds since 1970, for `expiresAt`. */
  epochMs(): number;
  /** Runs `task` once after so many milliseconds, unless the returned function is called before. */
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
