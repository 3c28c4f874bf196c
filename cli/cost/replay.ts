import { eachLine } from '../access-log/each-line.ts';
import { parseLogLine } from '../access-log/haproxy-log.ts';
import { CacheModel, type Replayed } from './cache-model.ts';
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
