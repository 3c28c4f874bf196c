import type { Log } from '../blocklist/invalid-entry-log.ts';

/** Logs for CloudWatch, one JSON line each, with the names and levels that Lambda's own JSON lines have. */
export const jsonLog: Log = (level, message, fields) => {
  writeLine({ timestamp: new Date().toISOString(), level: level.toUpperCase(), message, ...fields });
};

/** Bypasses `console`, which Lambda wraps so that CloudWatch would not find the metrics. */
export function writeLine(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
