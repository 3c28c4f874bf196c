import { fstatSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './config/settings.ts';

export type { Logger } from 'pino';

const STDOUT = 1;
/** What syslog calls pino's levels: trace to fatal. */
const PRIORITIES: Readonly<Record<number, number>> = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

/** JSON lines on standard output: with priorities where that is the journal, readable where it is a terminal. */
export function createLog(level: LogLevel): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (process.stdout.isTTY) return pino(options, pretty({ colorize: process.env.NO_COLOR === undefined, sync: true }));
  const stdout = pino.destination({ fd: STDOUT, sync: true });
  return pino(options, isJournal(STDOUT, process.env.JOURNAL_STREAM) ? withPriorities(stdout) : stdout);
}

/** Whether this descriptor is what systemd says it has opened to the journal: `DEVICE:INODE` in `JOURNAL_STREAM`. */
export function isJournal(descriptor: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  const { dev, ino } = fstatSync(descriptor);
  return journalStream === `${dev}:${ino}`;
}

/** Begins each line with `<N>`, which the journal takes off and files the line under (sd-daemon(3)). */
export function withPriorities(out: DestinationStream): DestinationStream & { lastLevel: number } {
  return {
    // pino sets `lastLevel` before each line of a stream that has this.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write(line) {
      out.write(`<${PRIORITIES[this.lastLevel] ?? 6}>${line}`);
    },
  } as DestinationStream & { lastLevel: number }; // a symbol is nothing that its type knows
}
