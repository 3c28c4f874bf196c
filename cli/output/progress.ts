import { SingleBar } from 'cli-progress';
import { isColoured } from './output.ts';

/** How far a long run is, for whoever waits for it. */
export interface Progress {
  advance(count: number): void;
  /** Says something without breaking the bar. */
  note(text: string): void;
  /** Ends it with a last line or the bar as it is. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is being done, such as `writing`. */
  readonly label: string;
  /** How much there is to do, where that is known. */
  readonly total?: number | undefined;
  readonly quiet?: boolean | undefined;
}

/** Where it is written, and when. */
export interface ProgressRim {
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  readonly clock: () => number;
}

const LINE_EVERY_MS = 5000;
const BAR_EVERY_MS = 100;

/** A bar where a person looks at a terminal, a line now and then in a log, nothing where nothing is wanted. */
export function startProgress(
  options: ProgressOptions,
  rim: ProgressRim = { stream: process.stderr, env: process.env, clock: performance.now.bind(performance) },
): Progress {
  if (options.quiet) return { advance() {}, note() {}, stop() {} };
  return rim.stream.isTTY && rim.env.TERM !== 'dumb' ? bar(options, rim) : lines(options, rim);
}

function bar({ label, total = 0 }: ProgressOptions, { stream, env, clock }: ProgressRim): Progress {
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
    note(text) {
      single.stop();
      stream.write(`${text}\n`);
      single.start(total, done, rate());
    },
    stop() {
      single.update(done, rate());
      single.stop();
    },
  };
}

function lines({ label, total }: ProgressOptions, { stream, clock }: ProgressRim): Progress {
  const startedMs = clock();
  let saidMs = startedMs;
  let done = 0;
  const say = () => {
    saidMs = clock();
    const of = total === undefined ? '' : ` of ${total}`;
    stream.write(`${label}: ${done}${of}, ${perSecond(done, saidMs - startedMs)} a second\n`);
  };
  return {
    advance(count) {
      done += count;
      if (clock() - saidMs >= LINE_EVERY_MS) say();
    },
    note: (text) => void stream.write(`${text}\n`),
    stop() {
      if (saidMs > startedMs) say();
    },
  };
}

function perSecond(count: number, ms: number): number {
  return Math.round(count / Math.max(ms / 1000, 0.001));
}
