import type { LogPlace } from '../backend/backend.ts';
import type { Clock } from '../decision/clock.ts';
import type { Log } from '../log.ts';
import type { Moment } from './freshness.ts';
import type { LoadCause } from './load-cause.ts';
import type { Fault } from './local-mirror.ts';
import { type LoadEvents, MirrorLoader, type MirrorSource } from './mirror-loader.ts';
import { type PollEvents, Poller, type PollSource } from './poller.ts';
import { updatesLog } from './updates-log.ts';
import type { PageStep, UpdatesStep } from './updates-step.ts';

export interface Followed {
  /** What is asked now: for changes, and for a mirror. */
  updates(): PollSource | undefined;
  mirror(): MirrorSource | undefined;
  apply(step: UpdatesStep): Promise<void>;
  /** Where in the log the mirror in use is; undefined without one. */
  position(): number | undefined;
  /** A page was applied. */
  followed(step: PageStep, waitedMs: number): void;
  /** A poll failed. */
  failed(error: Error): void;
  load: LoadEvents;
}

const CAUSE_OF: Readonly<Record<Fault, LoadCause>> = { mismatch: 'mismatch', sync: 'worker', over: 'over' };

/** Follows the log of changes, and loads the mirror: in the first process, which tells the others. */
export class Follower {
  readonly #poller: Poller;
  readonly #loader: MirrorLoader;

  constructor(of: Followed, log: Log, clock: Clock, now: () => Moment, random: () => number = Math.random) {
    const logged = updatesLog(log);
    const events: PollEvents = {
      ...logged,
      followed(step, waitedMs) {
        logged.followed(step);
        of.followed(step, waitedMs);
      },
      failed(error, times) {
        logged.failed(error, times);
        of.failed(error);
      },
      lost: (url) => {
        logged.lost(url);
        this.#loader.want('gone');
      },
      lagging: () => this.#loader.want('backlog'),
    };
    this.#poller = new Poller(of.updates, of.apply, events, clock, now, random);
    const { apply, position, mirror: source } = of;
    const moveTo = this.#poller.moveTo.bind(this.#poller);
    this.#loader = new MirrorLoader({ source, apply, moveTo, position }, of.load, clock, now, random);
    this.#loader.reloaded();
  }

  /** Polls go on from there. */
  moveTo(place: LogPlace, lists: readonly string[]): void {
    this.#poller.moveTo(place, lists);
  }

  want(cause: LoadCause): void {
    this.#loader.want(cause);
  }

  /** The settings may be others now. */
  reloaded(): void {
    this.#poller.reloaded();
    this.#loader.reloaded();
  }

  /** The mirror of a process has a fault. */
  faulty(fault: Fault): void {
    this.#loader.want(CAUSE_OF[fault]);
  }

  close(): void {
    this.#poller.close();
    this.#loader.close();
  }
}
