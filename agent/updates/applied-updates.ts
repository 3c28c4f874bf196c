import type { VerdictCache } from '../decision/cache.ts';
import { ChangedSubjects } from '../decision/changed-subjects.ts';
import type { Clock } from '../decision/clock.ts';
import type { Loader } from '../decision/loader.ts';
import type { LookupSubject } from '../decision/lookup-subject.ts';
import { type Moment, type Proof, provenAgeMs } from './freshness.ts';

/** What one page of the log says, as plain JSON: the process that polls tells the others. */
export interface UpdatesStep {
  /** The log is followed from its end on: what changed before is not known. */
  readonly isStart: boolean;
  /** Subjects with changes, as they are written in the table. */
  readonly subjects: readonly string[];
  /** Absent if the backend cannot prove what is in its log, or has none. */
  readonly proof?: Proof;
  /** The backend has no log of changes, or it is not followed any more. */
  readonly isOff?: boolean;
}

/** Where steps are applied: the parts in force now. */
export interface Target {
  readonly cache: VerdictCache;
  readonly loader: Loader;
}

/** Subjects that are read in one turn of the event loop. */
const SLICE = 200;
/** Known denies that are asked about again at once, for each step: one call. The others are asked when they are used. */
const MAX_ASKED_AGAIN = 100;
/** Steps that may wait, each a page. With more, everything counts as changed. */
const MAX_WAITING = 20;

/** Applies the changes of the log to the verdicts of this process, one step after the other. */
export class AppliedUpdates {
  readonly #target: () => Target;
  readonly #clock: Clock;
  readonly #now: () => Moment;
  #last: Promise<void> = Promise.resolve();
  #waiting: UpdatesStep[] = [];
  /** Were changes applied up to now, so that a new start leaves some out? */
  #isFollowing = false;
  #isOff = false;
  #proof: Proof | undefined;

  constructor(target: () => Target, clock: Clock, now: () => Moment) {
    this.#target = target;
    this.#clock = clock;
    this.#now = now;
  }

  /** Is it known that there is nothing to follow? */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** How long ago the moment was up to which every change is proven to be applied; infinite without a proof. */
  get ageMs(): number {
    return provenAgeMs(this.#proof, this.#now());
  }

  /** Resolves when the step is applied. */
  apply(step: UpdatesStep): Promise<void> {
    this.#waiting.push(step);
    if (this.#waiting.length > MAX_WAITING) this.#waiting = [{ ...step, subjects: [], isStart: true }];
    this.#last = this.#last.catch(() => {}).then(() => this.#applyNext());
    return this.#last;
  }

  async #applyNext(): Promise<void> {
    const step = this.#waiting.shift();
    if (step === undefined) return; // several became one
    let target: Target;
    do {
      target = this.#target();
      if (step.isStart && this.#isFollowing) await this.#endAllFresh(target);
      await this.#end(target, step.subjects);
    } while (target !== this.#target()); // a reload came between: its cache may be a copy from before
    this.#isFollowing = step.isOff !== true;
    this.#isOff = step.isOff === true;
    this.#proof = step.proof;
  }

  async #endAllFresh({ cache, loader }: Target): Promise<void> {
    loader.outdate(() => true);
    await this.#run(cache.endAllFresh());
  }

  async #end({ cache, loader }: Target, subjects: readonly string[]): Promise<void> {
    if (subjects.length === 0) return;
    const changed = new ChangedSubjects();
    for (let at = 0; at < subjects.length; at += SLICE) {
      if (at > 0) await this.#pause();
      for (const subject of subjects.slice(at, at + SLICE)) changed.add(subject);
    }
    loader.outdate((subject) => changed.covers(subject));
    const listed: readonly LookupSubject[] = await this.#run(cache.end(changed));
    for (const subject of listed.slice(0, MAX_ASKED_AGAIN)) loader.refresh(subject);
  }

  /** Runs what comes in slices, with other work in between. */
  async #run<Result>(slices: Generator<void, Result>): Promise<Result> {
    for (;;) {
      const { done, value } = slices.next();
      if (done) return value;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(0, resolve));
  }
}
