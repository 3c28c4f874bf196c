import { createReadStream } from 'node:fs';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { CacheModel, type Replayed } from './cache-model.ts';
import { MAX_LINE, parseLogLine } from './haproxy-log.ts';
import type { Setup } from './traffic.ts';

/** The result for one log, with the number of lines that have no client and time. */
export interface ReplayedLog extends Replayed {
  readonly lines: number;
}

/** Sends the requests of one HAProxy's log through a cache of its own. */
export async function replayLog(file: string, setup: Setup, cacheEntries: number): Promise<ReplayedLog> {
  const model = new CacheModel(setup, cacheEntries);
  const lines = await eachLine(file, (line) => {
    const request = parseLogLine(line);
    if (request !== undefined) model.replay(request);
  });
  return { ...model.result(), lines };
}

/** Calls `visit` for the start of each line; an iterator would be slow for millions of lines. */
async function eachLine(file: string, visit: (line: string) => void): Promise<number> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let count = 0;
  let rest = '';
  try {
    for await (const chunk of input.setEncoding('latin1')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()?.slice(0, MAX_LINE) ?? '';
      for (const line of lines) visit(line);
      count += lines.length;
    }
  } catch (error) {
    throw new CliError(EXIT.failed, `${file}: ${(error as Error).message}`, { cause: error }); // streams fail with errors
  }
  if (rest === '') return count;
  visit(rest);
  return count + 1;
}
