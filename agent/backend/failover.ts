import { Backoff } from '../decision/backoff.ts';
import type { Clock } from '../decision/clock.ts';
import type { Backend } from '../decision/loader.ts';
import { type BackendError, toBackendError } from './backend-error.ts';

type Lookups = Awaited<ReturnType<Backend['check']>>;

/** A client for one of several backends. */
export interface Client {
  check(subjects: readonly string[], signal: AbortSignal): Promise<Lookups>;
  isWell(): Promise<boolean>;
  close(): Promise<void>;
}

export interface FailoverEvents {
  down(url: string, error: BackendError): void;
  up(url: string, downMs: number): void;
}

/** Failures in a row after which a backend is down; one failure to connect is enough. */
const MAX_FAILURES = 3;

const FIRST_PROBE_MS = 1_000;
const LAST_PROBE_MS = 30_000;

/** A backend that was up for less keeps its pauses between probes: it answers probes, but not calls. */
const STEADY_MS = 60_000;

interface Target {
  readonly url: string;
  readonly client: Client;
  isUp: boolean;
  /** When it last came up or went down. */
  sinceMs: number;
  failures: number;
  readonly backoff: Backoff;
  cancelProbe: () => void;
}

/**
 * Asks the first backend that is up. A failed call is retried once on the next one, in the rest of its time; a refused call
 * is not, since it would be refused again. Backends that are down are probed until they answer. A backend that throttles is
 * not down: calls that it refuses go to the next one, and only if that fails too, the call counts as throttled.
 */
export class FailoverBackend implements Backend {
  readonly #targets: readonly Target[];
  readonly #timeoutMs: number;
  readonly #events: FailoverEvents;
  readonly #clock: Clock;
  readonly #random: () => number;
  #isClosed = false;

  constructor(
    clients: readonly { readonly url: string; readonly client: Client }[],
    timeoutMs: number,
    events: FailoverEvents,
    clock: Clock,
    random: () => number = Math.random,
  ) {
    const state = { isUp: true, sinceMs: Number.NEGATIVE_INFINITY, failures: 0, cancelProbe: () => {} };
    this.#targets = clients.map(({ url, client }) => ({
      url,
      client,
      ...state,
      backoff: new Backoff(FIRST_PROBE_MS, LAST_PROBE_MS),
    }));
    this.#timeoutMs = timeoutMs;
    this.#events = events;
    this.#clock = clock;
    this.#random = random;
  }

  async check(subjects: readonly string[]): Promise<Lookups> {
    return await this.#checkAny(subjects, AbortSignal.timeout(this.#timeoutMs));
  }

  /** The backend that is asked first now. */
  get preferredUrl(): string | undefined {
    return this.#inOrder()[0]?.url;
  }

  /** Aborts calls and probes. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const target of this.#targets) target.cancelProbe();
    await Promise.all(this.#targets.map(({ client }) => client.close()));
  }

  async #checkAny(subjects: readonly string[], signal: AbortSignal): Promise<Lookups> {
    const [first, second] = this.#inOrder();
    if (first === undefined) throw new Error('there is no backend');
    try {
      return await this.#checkOne(first, subjects, signal);
    } catch (error) {
      const { fault } = toBackendError(error);
      if (second === undefined || signal.aborted || this.#isClosed || fault === 'refused' || fault === 'ours')
        throw error;
      if (fault !== 'throttled') return await this.#checkOne(second, subjects, signal);
      return await this.#checkOne(second, subjects, signal).catch(() => Promise.reject(error));
    }
  }

  /** The backends that are up; all if none is. */
  #inOrder(): readonly Target[] {
    const up = this.#targets.filter(({ isUp }) => isUp);
    return up.length > 0 ? up : this.#targets;
  }

  async #checkOne(target: Target, subjects: readonly string[], signal: AbortSignal): Promise<Lookups> {
    const beganMs = this.#clock.nowMs();
    try {
      const lookups = await target.client.check(subjects, signal);
      target.failures = 0;
      if (!target.isUp) this.#markUp(target);
      return lookups;
    } catch (error) {
      const backendError = toBackendError(error);
      // a call that began before the last change says nothing about the current state, a problem of the agent nothing about the backend
      const isFailure = backendError.fault !== 'ours' && backendError.fault !== 'throttled';
      if (beganMs >= target.sinceMs && isFailure) this.#countFailure(target, backendError);
      throw backendError;
    }
  }

  #countFailure(target: Target, error: BackendError): void {
    target.failures++;
    if (!target.isUp || this.#isClosed) return;
    if (target.failures < MAX_FAILURES && error.fault !== 'unreachable') return;
    const nowMs = this.#clock.nowMs();
    if (nowMs - target.sinceMs >= STEADY_MS) target.backoff.reset();
    target.isUp = false;
    target.sinceMs = nowMs;
    this.#events.down(target.url, error);
    this.#probeLater(target);
  }

  #markUp(target: Target): void {
    target.cancelProbe();
    const nowMs = this.#clock.nowMs();
    const downMs = nowMs - target.sinceMs;
    target.isUp = true;
    target.sinceMs = nowMs;
    target.failures = 0;
    this.#events.up(target.url, downMs);
  }

  #probeLater(target: Target): void {
    // with jitter, so that many agents do not probe at once
    const delayMs = target.backoff.take() * (0.5 + this.#random() / 2);
    target.cancelProbe = this.#clock.after(delayMs, () => void this.#probe(target));
  }

  async #probe(target: Target): Promise<void> {
    const isWell = await target.client.isWell();
    if (this.#isClosed || target.isUp) return;
    if (isWell) this.#markUp(target);
    else this.#probeLater(target);
  }
}
