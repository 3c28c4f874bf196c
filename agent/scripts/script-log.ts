import { printable } from '../../contract/printable.ts';
import type { ThrottledLog } from '../../spop/throttled-log.ts';
import type { Log } from '../log.ts';
import type { Failure } from './ipc.ts';
import type { ScriptRunnerEvents } from './script-runner.ts';
import type { SupervisorEvents } from './supervisor.ts';

/** Logs what happens to the script and its process. */
export function supervisorLog(log: Log, file: string): Omit<SupervisorEvents, 'loaded'> {
  return {
    reloadFailed: (failure) =>
      log.error({ script: file, ...fieldsOf(failure) }, 'new script cannot be used, the old one stays in use'),
    died: (failure, restartInMs) =>
      log.error(
        { script: file, ...fieldsOf(failure), restartInMs },
        'script process died, falling back to policy until it is restarted',
      ),
    restarted: () => log.info({ script: file }, 'script process restarted'),
    output: (text) => log.info({ script: file, output: printable(text, 1_000) }, 'script output'),
  };
}

/** Logs what functions do wrong: each problem once a minute, with a count. */
export function scriptRunnerLog(log: Log, repeated: ThrottledLog): ScriptRunnerEvents {
  return {
    failed: (message, failure) =>
      repeated.about(`failed ${message} ${failure.place ?? ''} ${failure.problem}`, (times) =>
        log.warn({ message, ...fieldsOf(failure), ...times }, 'script function failed, fell back to policy'),
      ),
    timedOut: (message) =>
      repeated.about(`timed out ${message}`, (times) =>
        log.warn({ message, ...times }, 'script function missed the deadline, fell back to policy'),
      ),
    overloaded: (message) =>
      repeated.about('overloaded', (times) =>
        log.warn({ message, ...times }, 'too many script calls in progress, fell back to policy'),
      ),
    unreadVariable: (message, name) =>
      repeated.about(`unread variable ${message} ${name}`, (times) =>
        log.warn(
          { message, variable: name, ...times },
          'script sets a header that HAProxy does not expect: add it to haproxy.requestHeaders or haproxy.responseHeaders',
        ),
      ),
  };
}

function fieldsOf({ problem, place }: Failure): object {
  return { problem: printable(problem, 500), ...(place === undefined ? {} : { place }) };
}
