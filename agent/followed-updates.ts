import type { Settings } from '../config/settings.ts';
import type { Clock } from './decision/clock.ts';
import type { Generation } from './generation.ts';
import type { Logger } from './log.ts';
import type { ProcessMetrics } from './state/process-metrics.ts';
import { AppliedUpdates } from './updates/applied-updates.ts';
import { Follower } from './updates/follower.ts';
import { systemMoment } from './updates/freshness.ts';
import { type Fault, LocalMirror } from './updates/local-mirror.ts';
import { MirrorKeeper } from './updates/mirror-keeper.ts';
import type { LoadEvents } from './updates/mirror-loader.ts';
import { mirrorLog } from './updates/mirror-log.ts';
import { type Restored, restoredFrom } from './updates/mirror-restore.ts';
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
  #keeper: MirrorKeeper | undefined;
  /** What the keeper is for, as text. */
  #kept = '';
  #restored: Restored | undefined;
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
    if (this.#follower === undefined) return;
    this.#follower.reloaded();
    this.#keep(settings);
  }

  /** Reads the mirror that was kept in the file, if there is one; it counts as one that is behind. */
  async restore(settings: Settings): Promise<void> {
    const { file } = settings.updates;
    const of = mirrorSettingsOf(settings);
    if (file === undefined || of === undefined) return;
    const beganMs = this.#clock.nowMs();
    try {
      this.#restored = await restoredFrom(file, of.key, this.mirror, this.#clock);
      if (this.#restored === undefined) return;
      const { ageSeconds } = this.#restored;
      const entries = this.mirror.held?.tables.size;
      const tookMs = Math.round(this.#clock.nowMs() - beganMs);
      this.#log.info({ file, entries, ageSeconds: Math.round(ageSeconds), tookMs }, 'mirror restored from file');
    } catch (error) {
      await this.mirror.apply({ kind: 'abandon' });
      const problem = error instanceof Error ? error.message : String(error);
      this.#log.warn({ file, problem }, 'mirror file not used: the mirror is loaded');
    }
  }

  apply(step: UpdatesStep): Promise<void> {
    return this.#applied.apply(step);
  }

  /** Follows the log of the backend if this is the first process, and tells the others each step. */
  follow(isFirst: boolean, settings: Settings, others: OtherProcesses): void {
    if (!isFirst) {
      this.#onFault = others.faulty;
      return;
    }
    const follower = new Follower(
      {
        updates: () => this.#generation().updates,
        mirror: () => this.#generation().mirror,
        apply: async (step: UpdatesStep) => {
          others.apply(step);
          await this.apply(step);
          void this.#keeper?.write(step);
        },
        position: () => this.mirror.held?.position,
        followed: (step, waitedMs) => this.#metrics.followed(step, waitedMs),
        failed: (error) => this.#metrics.pollFailed(error.message, this.#clock.epochMs()),
        load: this.#loadEvents(),
      },
      this.#log,
      this.#clock,
      systemMoment,
    );
    this.#follower = follower;
    this.#onFault = (fault) => follower.faulty(fault);
    if (this.#restored !== undefined) follower.moveTo(this.#restored.place, settings.lists);
    this.#keep(settings);
  }

  #keep(settings: Settings): void {
    const { file } = settings.updates;
    const key = mirrorSettingsOf(settings)?.key;
    const kept = JSON.stringify([file, key]);
    if (kept === this.#kept) return;
    this.#kept = kept;
    void this.#keeper?.close();
    this.#keeper = undefined;
    if (file === undefined || key === undefined) return;
    const isOld = () => this.#follower?.want('file');
    this.#keeper = new MirrorKeeper(file, key, this.#clock, this.#log, isOld);
    if (this.#restored !== undefined) this.#keeper.goOn(this.#restored, this.#restored.place.cursor);
    else if (this.mirror.held !== undefined) isOld();
    this.#restored = undefined;
  }

  /** The mirror of another process has a fault. */
  onOthersFault(fault: Fault): void {
    this.#follower?.faulty(fault);
  }

  /** Asks for nothing any more; the mirror still answers. */
  async stop(): Promise<void> {
    this.#follower?.close();
    await this.#keeper?.close();
  }

  close(): void {
    this.mirror.close();
  }

  #loadEvents(): LoadEvents {
    const [metrics, clock] = [this.#metrics, this.#clock];
    const logged = mirrorLog(this.#log);
    return {
      ...logged,
      loaded(cause, what) {
        logged.loaded(cause, what);
        metrics.mirrorLoaded(cause);
      },
      failed(error, times) {
        logged.failed(error, times);
        metrics.mirrorFailed(error.message, clock.epochMs());
      },
    };
  }
}
