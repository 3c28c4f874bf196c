import type { Settings } from '../config/settings.ts';
import type { Clock } from './decision/clock.ts';
import type { Generation } from './generation.ts';
import type { Logger } from './log.ts';
import type { ProcessMetrics } from './state/process-metrics.ts';
import { AppliedUpdates } from './updates/applied-updates.ts';
import { Follower } from './updates/follower.ts';
import { systemMoment } from './updates/freshness.ts';
import { type Fault, LocalMirror } from './updates/local-mirror.ts';
import type { LoadEvents } from './updates/mirror-loader.ts';
import { mirrorLog } from './updates/mirror-log.ts';
import { mirrorSettingsOf } from './updates/mirror-settings.ts';
import type { UpdatesStep } from './updates/updates-step.ts';

/** The other processes of the agent. */
export interface OtherProcesses {
  apply(step: UpdatesStep): void;
  /** The mirror of this process has a fault. */
  faulty(fault: Fault): void;
}

type Parts = Pick<Generation, 'cache' | 'loader' | 'updates' | 'mirror'>;

/** What this process has of the log of changes: what is applied to its cache, and its mirror. */
export class FollowedUpdates {
  readonly mirror: LocalMirror;
  readonly #generation: () => Parts;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #metrics: ProcessMetrics;
  readonly #applied: AppliedUpdates;
  #follower: Follower | undefined;
  #onFault: (fault: Fault) => void = () => {};

  constructor(
    generation: () => Parts,
    { log, clock, metrics }: { log: Logger; clock: Clock; metrics: ProcessMetrics },
  ) {
    this.#generation = generation;
    this.#log = log;
    this.#clock = clock;
    this.#metrics = metrics;
    const { faulty } = mirrorLog(log);
    this.mirror = new LocalMirror(clock, systemMoment, (fault, lists) => {
      faulty(fault, lists);
      if (fault === 'mismatch') metrics.mirrorMismatched();
      this.#onFault(fault);
    });
    this.#applied = new AppliedUpdates(generation, this.mirror, clock, systemMoment);
  }

  get isOff(): boolean {
    return this.#applied.isOff;
  }

  get ageMs(): number {
    return this.#applied.ageMs;
  }

  /** The settings from now on. */
  use(settings: Settings): void {
    this.mirror.use(mirrorSettingsOf(settings));
    this.#follower?.reloaded();
  }

  apply(step: UpdatesStep): Promise<void> {
    return this.#applied.apply(step);
  }

  /** Follows the log of the backend if this is the first process, and tells the others each step. */
  follow(isFirst: boolean, others: OtherProcesses): void {
    if (!isFirst) {
      this.#onFault = others.faulty;
      return;
    }
    const follower = new Follower(
      {
        updates: () => this.#generation().updates,
        mirror: () => this.#generation().mirror,
        apply: (step: UpdatesStep) => {
          others.apply(step);
          return this.apply(step);
        },
        position: () => this.mirror.held?.position,
        followed: (step, waitedMs) => this.#metrics.followed(step, waitedMs),
        load: this.#loadEvents(),
      },
      this.#log,
      this.#clock,
      systemMoment,
    );
    this.#follower = follower;
    this.#onFault = (fault) => follower.faulty(fault);
  }

  /** The mirror of another process has a fault. */
  onOthersFault(fault: Fault): void {
    this.#follower?.faulty(fault);
  }

  /** Asks for nothing any more. */
  close(): void {
    this.#follower?.close();
    this.mirror.close();
  }

  #loadEvents(): LoadEvents {
    const metrics = this.#metrics;
    const logged = mirrorLog(this.#log);
    return {
      ...logged,
      loaded(cause, what) {
        logged.loaded(cause, what);
        metrics.mirrorLoaded(cause);
      },
      failed(error, times) {
        logged.failed(error, times);
        metrics.mirrorFailed();
      },
    };
  }
}
