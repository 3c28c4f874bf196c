import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../blocklist/bad-entries.ts';
import type { EntryStore } from '../../blocklist/store.ts';

/** Lambda gives init ten seconds; the first caller waits for all of it. */
const LIMIT_MS = 1000;

/** A key that no entry can stand under, in a table of any content. */
const NOTHING = { subject: 'warm-up', list: 'warm-up' };

/**
 * Reads nothing from the table, so that the first check finds credentials, name and TLS connection ready. A table that
 * is not there is no reason not to start: every check says so anyway.
 */
export async function warmUp(store: Pick<EntryStore, 'lookup'>, log: Log, limitMs = LIMIT_MS): Promise<void> {
  const done = new AbortController();
  const tooLate = delay(limitMs, `no answer within ${limitMs} ms`, { signal: done.signal }).catch(() => undefined);
  const problem = await Promise.race([read(store), tooLate]);
  done.abort();
  if (problem !== undefined) log('warn', 'table not reached at startup', { problem });
}

async function read(store: Pick<EntryStore, 'lookup'>): Promise<string | undefined> {
  try {
    return (await store.lookup([NOTHING])).failure?.message;
  } catch (error) {
    return String(error);
  }
}
