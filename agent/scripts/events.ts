import { shown } from '../../contract/shown.ts';
import type { Repeated } from '../repeated.ts';
import type { JudgeEvents } from './judge.ts';
import type { KeeperEvents } from './keeper.ts';
import type { Failure } from './messages.ts';

interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Tells the log what becomes of the module and its process. */
export function keeperLog(log: Log, file: string): Omit<KeeperEvents, 'loaded'> {
  return {
    refused: (failure) =>
      log.error({ rules: file, ...why(failure) }, 'the new rules cannot be used, the old ones stay'),
    died: (failure, restartInMs) =>
      log.error(
        { rules: file, ...why(failure), restartInMs },
        'the rules ended, the policy answers until they are restarted',
      ),
    restarted: () => log.info({ rules: file }, 'the rules are restarted'),
    printed: (text) => log.info({ rules: file, printed: shown(text, 1_000) }, 'the rules print'),
  };
}

/** Tells the log what the functions do wrong: each thing once a minute, and how often. */
export function judgeLog(log: Log, repeated: Repeated): JudgeEvents {
  return {
    failed: (message, failure) =>
      repeated.about(`failed ${message} ${failure.place ?? ''} ${failure.problem}`, (times) =>
        log.warn({ message, ...why(failure), ...times }, 'a rule failed, the policy answered'),
      ),
    late: (message) =>
      repeated.about(`late ${message}`, (times) =>
        log.warn({ message, ...times }, 'a rule did not decide before the deadline, the policy answered'),
      ),
    full: (message) =>
      repeated.about('full', (times) =>
        log.warn({ message, ...times }, 'too many calls of rules are running, the policy answered'),
      ),
    untold: (message, name) =>
      repeated.about(`untold ${message} ${name}`, (times) =>
        log.warn(
          { message, variable: name, ...times },
          'a rule sets a variable that is told to nobody: haproxy.requestHeaders or haproxy.responseHeaders must name the header',
        ),
      ),
  };
}

function why({ problem, place }: Failure): object {
  return { problem: shown(problem, 500), ...(place === undefined ? {} : { place }) };
}
