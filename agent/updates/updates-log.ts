import type { Log } from '../log.ts';
import type { PollEvents } from './poller.ts';

/** Polls that fail in a row before it is logged. */
const LOGGED_AT = 3;

/** Logs when changes are followed and when not, without a line for each poll. */
export function updatesLog(log: Log): Omit<PollEvents, 'followed' | 'lagging'> & { followed(): void } {
  let isFollowing = false;
  let isFailing = false;
  let isNone = false;
  return {
    followed() {
      if (isFailing) log.info({}, 'updates are polled again');
      else if (!isFollowing) log.info({}, 'updates are followed');
      isFollowing = true;
      isFailing = false;
      isNone = false;
    },
    failed(error, times) {
      if (times !== LOGGED_AT) return;
      isFailing = true;
      log.warn({ error: error.message }, 'updates cannot be polled: changes take effect as cached verdicts expire');
    },
    none(url) {
      if (!isNone) log.warn({ url }, 'backend has no updates: changes take effect as cached verdicts expire');
      isNone = true;
      isFollowing = false;
    },
    lost: (url) => log.warn({ url }, 'updates begin anew: every cached verdict counts as expired'),
  };
}
