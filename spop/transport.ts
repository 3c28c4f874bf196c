/** What the connection needs of a socket. */
export interface Transport {
  /** Sends bytes; returns true if the caller may overwrite them now. */
  write(bytes: Uint8Array): boolean;
  /** Closes once everything is sent. */
  end(): void;
}

export interface Clock {
  /** A monotonic time in milliseconds. */
  nowMs(): number;
  /** Runs `task` once after this many milliseconds, unless the returned function is called before. */
  after(delayMs: number, task: () => void): () => void;
}

/** The clock and the timers of this process. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
