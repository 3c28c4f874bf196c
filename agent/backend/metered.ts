import type { Clock } from '../decision/clock.ts';
import type { Backend } from '../decision/loader.ts';
import type { OpenBackend } from './backend.ts';
import { type BackendError, toBackendError } from './backend-error.ts';

/** Whoever counts calls. */
export interface CallMeter {
  called(subjects: number, tookMs: number): void;
  callFailed(fault: Exclude<BackendError['fault'], 'throttled'>, error: string, atMs: number): void;
}

/** A backend whose calls are counted. */
export class MeteredBackend implements OpenBackend {
  readonly #backend: OpenBackend;
  readonly #meter: CallMeter;
  readonly #clock: Clock;

  constructor(backend: OpenBackend, meter: CallMeter, clock: Clock) {
    this.#backend = backend;
    this.#meter = meter;
    this.#clock = clock;
  }

  async check(subjects: readonly string[]): ReturnType<Backend['check']> {
    const beganMs = this.#clock.nowMs();
    try {
      return await this.#backend.check(subjects);
    } catch (error) {
      const { fault, message } = toBackendError(error);
      if (fault !== 'throttled') this.#meter.callFailed(fault, message, this.#clock.epochMs());
      throw error;
    } finally {
      this.#meter.called(subjects.length, this.#clock.nowMs() - beganMs);
    }
  }

  close(): Promise<void> {
    return this.#backend.close();
  }
}
