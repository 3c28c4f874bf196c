import type { Log } from '../log.ts';
import type { PollEvents } from './poller.ts';
import type { PageStep } from './updates-step.ts';

/** Polls that fail in a row before it is logged. */
const LOGGED_AT = 3;

interface Followed {
  followed(step: Pick<PageStep, 'isStart'>): void;
}

/** Logs when changes are followed and when not, without a line for each poll. */
export function updatesLog(log: Log): Omit<PollEvents, 'followed' | 'lagging'> & Followed {
  let isFollowing = false;
  let isFailing = false;
  let isNone = false;
  let isLost = false;
  return {
    followed({ isStart }) {
      if (isFailing) log.info({}, 'updates are polled again');
      else if (!isFollowing) log.info({}, 'updates are followed');
      isFollowing = true;
      isFailing = false;
      isNone = false;
      isLost &&= isStart;
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
    lost(url) {
      if (!isLost) log.warn({ url }, 'updates begin anew: every cached verdict counts as expired');
      isLost = true;
    },
  };
}
