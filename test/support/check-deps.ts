import { InvalidEntryLog } from '../../blocklist/invalid-entry-log.ts';
import type { CheckDeps } from '../../blocklist/service.ts';
import type { EntryStore } from '../../blocklist/store.ts';
import { NOW_SECONDS } from './small-world.ts';

/** What `check` needs over this store, in the time of the small world; logs nothing. */
export function checkDeps(store: EntryStore): CheckDeps {
  return {
    store,
    log() {},
    invalidEntryLog: new InvalidEntryLog(),
    clock: () => NOW_SECONDS * 1000,
    ttlSeconds: 60,
  };
}
