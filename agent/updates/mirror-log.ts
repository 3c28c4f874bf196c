import type { Log } from '../log.ts';
import type { Fault } from './local-mirror.ts';
import type { LoadEvents } from './mirror-loader.ts';

/** Loads that fail in a row before it is logged. */
const LOGGED_AT = 2;

/** Logs what becomes of mirrors, once for each change. */
export function mirrorLog(log: Log): LoadEvents & { faulty(fault: Fault, lists: readonly string[]): void } {
  let said = '';
  const once = (what: string, say: () => void) => {
    if (said !== what) say();
    said = what;
  };
  return {
    loaded(cause, { id, entries, tookMs }) {
      log.info({ cause, id, entries, tookMs: Math.round(tookMs) }, 'mirror loaded');
      said = '';
    },
    failed(error, times) {
      if (times === LOGGED_AT) log.warn({ error: error.message }, 'mirror cannot be loaded: the function is asked');
    },
    none(url, isForNow) {
      if (isForNow) once('not yet', () => log.info({ url }, 'backend has no mirror yet: the function is asked'));
      else once('none', () => log.warn({ url }, 'backend has no mirror: the function is asked'));
    },
    tooLarge(entries, maxEntries) {
      once('too large', () =>
        log.error({ entries, maxEntries }, 'mirror not loaded: more entries than updates.maxEntries'),
      );
    },
    stillMismatched(id) {
      once(id, () => log.error({ id }, 'mirror differs from the lists again: waiting for another one'));
    },
    faulty(fault, lists) {
      if (fault === 'mismatch') log.error({ lists }, 'mirror differs from the lists: it is loaded again');
      else if (fault === 'over') log.error({}, 'mirror dropped: more entries than updates.maxEntries');
    },
  };
}
