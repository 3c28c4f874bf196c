const MAX_CHARACTERS = 1_000;
const MAX_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/** What a module prints, with a limit: the log is the agent's, and a module may print with every request. */
export class Print {
  readonly #tell: (text: string) => void;
  #since = 0;
  #count = 0;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Takes the place of both standard streams of this thread, `console` included. */
  takeOver(): void {
    const write = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
      this.line(typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString()); // a stream takes nothing else
      const done = rest.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
    process.stdout.write = write;
    process.stderr.write = write;
  }

  line(text: string, nowMs = performance.now()): void {
    if (nowMs - this.#since >= MINUTE_MS || this.#since === 0) {
      this.#since = nowMs;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count > MAX_PER_MINUTE) return;
    const line = text.trimEnd().slice(0, MAX_CHARACTERS);
    this.#tell(this.#count === MAX_PER_MINUTE ? `${line} (no more of this minute is told)` : line);
  }
}
