import { printable } from '../../contract/printable.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { ThrottledLog } from '../../spop/throttled-log.ts';
import type { Clock } from '../decision/clock.ts';
import type { DegradationEvents, Episode } from '../decision/degradation-detector.ts';
import type { Log } from '../log.ts';
import type { BackendError } from './backend-error.ts';
import type { ClientEvents, Uncounted } from './client.ts';
import type { CredentialsEvents } from './credentials.ts';
import type { FailoverEvents } from './failover.ts';
import type { StartupCheck } from './startup-check.ts';

/** After this long without a refused call, the backend no longer throttles. */
const THROTTLED_MS = 60_000;

/** Logs problems of calls to the backend and of its answers, without a line for each call. */
export class BackendLog implements ClientEvents {
  readonly #log: Log;
  readonly #repeated: ThrottledLog;
  readonly #shadowIgnored = new Set<string>();
  readonly #clock: Clock;
  /** Calls refused since the backend began to throttle. */
  #throttles = 0;
  #cancelLook = () => {};

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#repeated = new ThrottledLog(clock);
  }

  failed({ fault, message: error }: BackendError): void {
    if (fault === 'throttled') this.#throttled(error);
    else
      this.#repeated.about(`failed ${fault}`, (times) =>
        this.#log.warn({ fault, error, ...times }, 'backend call failed'),
      );
  }

  /** Logs only the begin and the end of throttling; the metrics count the refused calls. */
  #throttled(error: string): void {
    this.#throttles++;
    if (this.#throttles > 1) return;
    const sinceMs = this.#clock.nowMs();
    this.#log.warn({ error }, 'backend throttles: reducing the call rate');
    const look = (before: number): void => {
      this.#cancelLook = this.#clock.after(THROTTLED_MS, () => {
        if (this.#throttles > before) return look(this.#throttles);
        const lastedMs = Math.round(this.#clock.nowMs() - sinceMs - THROTTLED_MS);
        this.#log.info({ refusedCalls: this.#throttles, lastedMs }, 'backend no longer throttles');
        this.#throttles = 0;
      });
    };
    look(1);
  }

  badEntry(subject: string, problem: string): void {
    const fields = { subject: printable(redactedSubject(subject)), problem: printable(problem, 500) };
    this.#repeated.about(`bad entry ${fields.problem}`, (times) =>
      this.#log.warn({ ...fields, ...times }, 'invalid entry in an answer of the backend'),
    );
  }

  ignoresShadow(list: string): void {
    if (this.#shadowIgnored.has(list)) return;
    this.#shadowIgnored.add(list);
    this.#log.warn(
      { list },
      'backend does not support shadow lists: entries of this list hide those of others; upgrade the function or remove the list',
    );
  }

  notCounted({ list, action, subject }: Uncounted, isBlind: boolean): void {
    const fields = { list, action: printable(action), entry: printable(redactedSubject(subject)) };
    this.#repeated.about(`not counted ${list} ${isBlind}`, (times) =>
      this.#log.warn(
        { ...fields, ...times },
        isBlind
          ? 'entry ignored: its list is limited to other actions, and the backend let it hide entries of other lists; upgrade the function'
          : 'entry ignored: its list is limited to other actions',
      ),
    );
  }

  /** Stops logging repeated problems. */
  close(): void {
    this.#repeated.close();
    this.#cancelLook();
  }
}

/** Logs when the policy begins to decide about clients that are not cached, and when that ends. */
export function degradationLog(log: Log, deadlineMs: () => number): DegradationEvents {
  return {
    degraded(episode) {
      const fields = fieldsOf(episode, deadlineMs());
      const { isOutage, letThrough, denied } = episode;
      if (isOutage && letThrough > 0)
        log.error(fields, 'backend is failing: unknown clients are let through (policy open)');
      else if (isOutage && denied > 0)
        log.error(fields, 'backend is failing: unknown clients are denied with 503 (policy closed)');
      else if (isOutage) log.warn(fields, 'backend is failing: decisions come from the cache alone');
      else if (letThrough > 0) log.warn(fields, 'degraded: unknown clients are let through (policy open)');
      else log.warn(fields, 'degraded: unknown clients are denied with 503 (policy closed)');
    },
    recovered: (whole) => log.info({ ...whole, lastedMs: Math.round(whole.lastedMs) }, 'backend answers in time again'),
  };
}

function fieldsOf({ share, byPolicy, p50Ms, isOutage: _inMessage, ...rest }: Episode, deadlineMs: number): object {
  const reasons = Object.fromEntries(Object.entries(byPolicy).filter(([, count]) => count > 0));
  return {
    policyPercent: Math.round(share * 1000) / 10,
    reasons,
    ...rest,
    ...(p50Ms !== undefined && { p50Ms: Math.round(p50Ms * 10) / 10 }),
    deadlineMs,
  };
}

/** Logs the check of one function at startup. */
export function logStartupCheck(
  log: Log,
  { error, firstMs = 0, checkMs = 0, ...finding }: StartupCheck,
  deadlineMs: number,
): void {
  const fields = { ...finding, firstMs: Math.round(firstMs), checkMs: Math.round(checkMs * 10) / 10, deadlineMs };
  if (error !== undefined) log.warn({ ...finding, error }, 'backend check failed');
  else if (checkMs <= deadlineMs) log.info(fields, 'backend check: answers in time');
  else log.warn(fields, 'backend check: slower than deadlineMs, so the policy decides about unknown clients');
}

/** Logs which of several backends goes down and comes back. */
export function failoverLog(log: Log): FailoverEvents {
  return {
    down: (url, error) => log.warn({ url, error: error.message }, 'backend is down: failing over to the next one'),
    up: (url, downMs) => log.info({ url, lastedMs: Math.round(downMs) }, 'backend is up again'),
  };
}

/** Logs when credentials are missing or cannot be renewed, and when they are available again. */
export function credentialsLog(log: Log): Omit<CredentialsEvents, 'got'> {
  return {
    failed: (error, validUntil) =>
      validUntil === undefined
        ? log.warn({ error }, 'cannot sign calls to the backend')
        : log.warn({ error, validUntil }, 'cannot renew AWS credentials: the current ones are still valid'),
    renewed: () => log.info({}, 'AWS credentials are available again'),
  };
}
