import { shown } from '../../contract/shown.ts';
import type { Clock } from '../decision/clock.ts';
import type { LookupError } from '../decision/decision.ts';
import { Repeated } from '../repeated.ts';
import type { ClientEvents } from './client.ts';
import type { CredentialsEvents } from './credentials.ts';
import type { FailoverEvents } from './failover.ts';

export interface Log {
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** While it lasts, a backend's trouble is told this often, with a count. */
const REPEAT_MS = 10_000;

type State =
  | { readonly name: 'well' }
  | { readonly name: 'failing'; readonly sinceMs: number; failures: number; toldAtMs: number };

/** Tells the log when the backend begins to fail, that it still does, and when it is back: never a line a call. */
export class BackendHealthLog implements ClientEvents {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #repeated: Repeated;
  #state: State = { name: 'well' };
  readonly #trialsIgnored = new Set<string>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#repeated = new Repeated(clock);
  }

  succeeded(): void {
    if (this.#state.name === 'well') return;
    const { sinceMs, failures } = this.#state;
    this.#state = { name: 'well' };
    this.#log.info({ failures, lastedMs: Math.round(this.#clock.nowMs() - sinceMs) }, 'backend answers again');
  }

  failed(error: LookupError): void {
    const nowMs = this.#clock.nowMs();
    if (this.#state.name === 'well') {
      this.#state = { name: 'failing', sinceMs: nowMs, failures: 1, toldAtMs: nowMs };
      this.#log.warn(
        { reason: error.reason, error: error.message },
        'backend fails, the policy answers for what the cache does not know',
      );
      return;
    }
    this.#state.failures++;
    if (nowMs - this.#state.toldAtMs < REPEAT_MS) return;
    this.#state.toldAtMs = nowMs;
    this.#log.warn(
      { reason: error.reason, error: error.message, failures: this.#state.failures },
      'backend still fails',
    );
  }

  badEntry(subject: string, problem: string): void {
    const fields = { subject: shown(subject), problem: shown(problem, 500) };
    this.#repeated.about(`bad entry ${fields.problem}`, (times) =>
      this.#log.warn({ ...fields, ...times }, 'backend answered an entry that cannot be used'),
    );
  }

  ignoresTrials(list: string): void {
    if (this.#trialsIgnored.has(list)) return;
    this.#trialsIgnored.add(list);
    this.#log.warn(
      { list },
      'backend knows no trials: an entry of this list hides those of others until the function is upgraded or the list taken out',
    );
  }
  /** Tells no more of what is repeated. */
  close(): void {
    this.#repeated.close();
  }
}

/** Tells the log which of several backends goes down and comes back. */
export function failoverLog(log: Log): Omit<FailoverEvents, 'calls'> {
  return {
    down: (url, error) => log.warn({ url, error: error.message }, 'backend is down, the next one is asked'),
    up: (url, downMs) => log.info({ url, lastedMs: Math.round(downMs) }, 'backend is up again'),
  };
}

/** Tells the log when credentials are missing or cannot be renewed, and when that is over. */
export function credentialsLog(log: Log): Omit<CredentialsEvents, 'got'> {
  return {
    failed: (error, validUntil) =>
      validUntil === undefined
        ? log.warn({ error }, 'calls to the backend cannot be signed')
        : log.warn({ error, validUntil }, 'AWS credentials cannot be renewed, the old ones are still valid'),
    renewed: () => log.info({}, 'AWS credentials are there again'),
  };
}
