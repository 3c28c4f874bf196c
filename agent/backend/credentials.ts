import type { Clock } from '../decision/clock.ts';
import { describeError } from './backend-error.ts';

/** AWS credentials. */
export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent if they do not expire. */
  readonly expiration?: Date;
}

export interface CredentialsEvents {
  /** Credentials were loaded; the expiry is undefined if they do not expire. */
  got(expiresAtMs: number | undefined): void;
  /** Emitted once until `renewed`. With `validUntil` if the old credentials are still valid. */
  failed(error: string, validUntil: Date | undefined): void;
  renewed(): void;
}

/** Credentials are renewed this long before they expire; those that do not expire are read again at this interval. */
const RENEW_MS = 5 * 60_000;

/** The pause after a failed attempt, and after credentials that must be renewed at once. */
const PAUSE_MS = 10_000;

/** An attempt that takes longer is given up, and another one is started. */
const GIVE_UP_MS = 30_000;

/**
 * Keeps credentials valid. Calls wait for new ones only if there are no valid ones, and then share one attempt. The SDK's
 * chain alone would try again, and start a helper again, for each call without credentials.
 */
export class Credentials {
  readonly #load: () => Promise<Identity>;
  readonly #clock: Clock;
  readonly #events: CredentialsEvents;
  #held: { readonly identity: Identity; readonly renewAtMs: number } | undefined;
  #attempt: { readonly promise: Promise<Identity>; readonly giveUpAtMs: number } | undefined;
  #pauseUntilMs = Number.NEGATIVE_INFINITY;
  #problem: string | undefined;

  constructor(load: () => Promise<Identity>, clock: Clock, events: CredentialsEvents) {
    this.#load = load;
    this.#clock = clock;
    this.#events = events;
  }

  /** Valid credentials; rejects if there are none. */
  async get(): Promise<Identity> {
    const held = this.#valid();
    if (held === undefined) return await this.#renew();
    if (this.#clock.epochMs() >= held.renewAtMs) this.#renew().catch(() => {}); // logged by its events
    return held.identity;
  }

  #valid(): { readonly identity: Identity; readonly renewAtMs: number } | undefined {
    const expiresAtMs = this.#held?.identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    return this.#clock.epochMs() < expiresAtMs ? this.#held : undefined;
  }

  async #renew(): Promise<Identity> {
    const nowMs = this.#clock.nowMs();
    if (this.#attempt !== undefined && nowMs < this.#attempt.giveUpAtMs) return await this.#attempt.promise;
    if (nowMs < this.#pauseUntilMs) throw new Error(this.#problem ?? 'the AWS credentials have expired');
    const attempt = { promise: this.#loadOnce(), giveUpAtMs: nowMs + GIVE_UP_MS };
    this.#attempt = attempt;
    try {
      return await attempt.promise;
    } finally {
      if (this.#attempt === attempt) this.#attempt = undefined;
    }
  }

  async #loadOnce(): Promise<Identity> {
    try {
      const identity = await this.#load();
      const nowMs = this.#clock.epochMs();
      const expiresAtMs = identity.expiration?.getTime();
      if (expiresAtMs !== undefined && expiresAtMs <= nowMs)
        throw new Error(`got AWS credentials that expired at ${identity.expiration?.toISOString()}`);
      this.#held = { identity, renewAtMs: expiresAtMs === undefined ? nowMs + RENEW_MS : expiresAtMs - RENEW_MS };
      this.#pauseUntilMs = this.#clock.nowMs() + PAUSE_MS;
      this.#events.got(expiresAtMs);
      if (this.#problem !== undefined) this.#events.renewed();
      this.#problem = undefined;
      return identity;
    } catch (error) {
      this.#pauseUntilMs = this.#clock.nowMs() + PAUSE_MS;
      const isNews = this.#problem === undefined;
      this.#problem = `no AWS credentials: ${describeError(error)}`;
      if (isNews) this.#events.failed(this.#problem, this.#valid()?.identity.expiration);
      throw new Error(this.#problem, { cause: error });
    }
  }
}
