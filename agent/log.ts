import { fstatSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '../config/settings.ts';
import type { LogOutput } from './log-output.ts';

export type { Logger } from 'pino';

/** The log as the parts use it. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const STDOUT = 1;
/** The syslog priorities of pino's levels, trace to fatal. */
const PRIORITIES: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** Logs to standard output: JSON lines, with priorities for the journal, or readable lines on a terminal. */
export function createLog(level: LogLevel, output: LogOutput): Logger {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, suited(output));
  output.onRoom = (dropped) => log.warn({ dropped }, 'log lines dropped: standard output was blocked');
  return log;
}

/** Returns a function that writes the records of another process in the same format. */
export function recordForwarder(output: LogOutput): (record: string) => void {
  const out = suited(output);
  return (record) => {
    if ('lastLevel' in out) out.lastLevel = Number(/^\{"level":(\d+)/.exec(record)?.[1]);
    out.write(`${record}\n`);
  };
}

function suited(output: LogOutput): DestinationStream {
  if (process.stdout.isTTY) return readable(output, process.env.NO_COLOR === undefined);
  return isJournal(STDOUT, process.env.JOURNAL_STREAM) ? withPriorities(output) : output;
}

/** Whether this descriptor is connected to the journal, by `DEVICE:INODE` in `JOURNAL_STREAM`. */
export function isJournal(descriptor: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  const { dev, ino } = fstatSync(descriptor);
  return journalStream === `${dev}:${ino}`;
}

/** Formats each record as one readable line, errors included. */
export function readable(out: DestinationStream, colorize: boolean): DestinationStream {
  const lineOf = pretty.prettyFactory({ colorize, singleLine: true, errorLikeObjectKeys: [] });
  return {
    write: (record) =>
      out.write(
        `${lineOf(record)
          .trimEnd()
          .replaceAll(/\s*\n\s*/g, ' ')}\n`,
      ),
  };
}

/** Prefixes each line with `<N>`, which the journal strips and uses as the priority (sd-daemon(3)). */
export function withPriorities(out: DestinationStream): DestinationStream & { lastLevel: number } {
  return {
    // pino sets `lastLevel` before each line of a stream that has this.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write(line) {
      out.write(`<${PRIORITIES[this.lastLevel] ?? 6}>${line}`);
    },
  } as DestinationStream & { lastLevel: number }; // the type does not have the symbol
}
