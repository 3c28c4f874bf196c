import { AsyncLocalStorage } from 'node:async_hooks';

/** What a command reads as standard input: its bytes, and what they are called in messages and in the history. */
export interface Input {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What one run of a command reads and prints to, instead of the streams of the process. */
export interface Streams {
  readonly input: Input;
  print(text: string): void;
  complain(text: string): void;
  /** How far a long run is. */
  advance(label: string, done: number, total: number | undefined): void;
  /** A change is recorded: `haverdict revert RUN` takes it back. */
  recorded(run: string): void;
}

const given = new AsyncLocalStorage<Streams>();

/** Runs a command with streams of its own; runs at the same time do not meet. */
export function withStreams<Result>(streams: Streams, run: () => Promise<Result>): Promise<Result> {
  return given.run(streams, run);
}

/** The streams of this run; undefined if they are those of the process. */
export function ownStreams(): Streams | undefined {
  return given.getStore();
}

export function standardInput(): Input {
  return ownStreams()?.input ?? { name: 'standard input', bytes: process.stdin };
}
