import { SingleBar } from 'cli-progress';
import { isColoured } from './output.ts';
import { ownStreams, type Streams } from './streams.ts';

/** A progress display for a long run. */
export interface Progress {
  advance(count: number): void;
  /** Ends the display, with a last line or the bar as it is. */
  stop(): void;
}

export interface ProgressOptions {
  /** The current activity, such as `writing`. */
  readonly label: string;
  /** The total amount, if known. */
  readonly total?: number | undefined;
  readonly quiet?: boolean | undefined;
}

/** The outside world, replaced in tests. */
export interface ProgressIo {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  readonly clock: () => number;
}

const LINE_EVERY_MS = 5000;
const BAR_EVERY_MS = 100;

/** For a run with streams of its own, they; else a bar on a terminal, a line every few seconds elsewhere, nothing if quiet. */
export function startProgress(
  options: ProgressOptions,
  io: ProgressIo = { stream: process.stderr, env: process.env, clock: performance.now.bind(performance) },
): Progress {
  const own = ownStreams();
  if (own !== undefined) return told(options, own);
  if (options.quiet) return { advance() {}, stop() {} };
  return io.stream.isTTY && io.env.TERM !== 'dumb' ? bar(options, io) : lines(options, io);
}

function told({ label, total }: ProgressOptions, streams: Streams): Progress {
  let done = 0;
  return {
    advance(count) {
      done += count;
      streams.advance(label, done, total);
    },
    stop() {},
  };
}

function bar({ label, total = 0 }: ProgressOptions, { stream, env, clock }: ProgressIo): Progress {
  const counted = total > 0 ? '{bar} {percentage} % | {value}/{total} | {eta_formatted} left' : '{value}';
  const single = new SingleBar({
    stream,
    format: `${label} ${counted} | {rate}/s`,
    barCompleteChar: isColoured(stream, env) ? '\u2588' : '#',
    barIncompleteChar: isColoured(stream, env) ? '\u2591' : '-',
    hideCursor: true,
    linewrap: null, // leaves the terminal's own setting alone
    gracefulExit: false, // signals are the program's business
    fps: 1000 / BAR_EVERY_MS,
    emptyOnZero: true,
  });
  const startedMs = clock();
  let done = 0;
  const rate = () => ({ rate: perSecond(done, clock() - startedMs) });
  single.start(total, 0, rate());
  return {
    advance(count) {
      done += count;
      single.update(done, rate());
    },
    stop() {
      single.update(done, rate());
      single.stop();
    },
  };
}

function lines({ label, total }: ProgressOptions, { stream, clock }: ProgressIo): Progress {
  const startedMs = clock();
  let printedMs = startedMs;
  let done = 0;
  const print = () => {
    printedMs = clock();
    const of = total === undefined ? '' : ` of ${total}`;
    stream.write(`${label}: ${done}${of}, ${perSecond(done, printedMs - startedMs)} per second\n`);
  };
  return {
    advance(count) {
      done += count;
      if (clock() - printedMs >= LINE_EVERY_MS) print();
    },
    stop() {
      if (printedMs > startedMs) print();
    },
  };
}

function perSecond(count: number, ms: number): number {
  return Math.round(count / Math.max(ms / 1000, 0.001));
}
