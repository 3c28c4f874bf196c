const MAX_CHARACTERS = 1_000;
const MAX_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/** Sends what the script prints to the agent's log, with a limit: a script may print on every request. */
export class CapturedOutput {
  readonly #send: (text: string) => void;
  #since = 0;
  #count = 0;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** Replaces standard output and standard error of this thread, `console` included. */
  install(): void {
    const write = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
      this.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString()); // streams take nothing else
      const done = rest.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
    process.stdout.write = write;
    process.stderr.write = write;
  }

  write(text: string, nowMs = performance.now()): void {
    if (nowMs - this.#since >= MINUTE_MS || this.#since === 0) {
      this.#since = nowMs;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count > MAX_PER_MINUTE) return;
    const line = text.trimEnd().slice(0, MAX_CHARACTERS);
    this.#send(this.#count === MAX_PER_MINUTE ? `${line} (further output of this minute is dropped)` : line);
  }
}
