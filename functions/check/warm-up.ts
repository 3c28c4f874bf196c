import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../blocklist/invalid-entry-log.ts';
import type { EntryStore } from '../../blocklist/store.ts';

/** Lambda allows ten seconds for init, and the first caller waits for it. */
const LIMIT_MS = 1000;

/** A key that no entry can have. */
const NOTHING = { subject: 'warm-up', list: 'warm-up' };

/**
 * Looks up a key that does not exist, so that the first check finds credentials, DNS name and TLS connection ready. A
 * missing table does not prevent the start: every check reports it anyway.
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
