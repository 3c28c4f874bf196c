import type { VerdictCache } from '../decision/cache.ts';
import { ChangedSubjects } from '../decision/changed-subjects.ts';
import type { Clock } from '../decision/clock.ts';
import type { Loader } from '../decision/loader.ts';
import type { LookupSubject } from '../decision/lookup-subject.ts';
import { inTurns, nextTurn } from '../decision/turns.ts';
import { type Moment, type Proof, provenAgeMs } from './freshness.ts';
import type { LocalMirror } from './local-mirror.ts';
import type { PageStep, UpdatesStep } from './updates-step.ts';

/** Where steps are applied: the parts in force now. */
export interface Target {
  readonly cache: VerdictCache;
  readonly loader: Loader;
}

/** Subjects that are read in one turn of the event loop. */
const SLICE = 200;
/** Known denies that are asked about again at once, for each step: one call. The others are asked when they are used. */
const MAX_ASKED_AGAIN = 100;
/** Pages that may wait. With more, everything counts as changed. */
const MAX_WAITING = 20;

/** Applies the changes of the log to the verdicts and the mirror of this process, one step after the other. */
export class AppliedUpdates {
  readonly #target: () => Target;
  readonly #mirror: Pick<LocalMirror, 'apply' | 'isAt'>;
  readonly #clock: Clock;
  readonly #now: () => Moment;
  #last: Promise<void> = Promise.resolve();
  #waiting: UpdatesStep[] = [];
  /** Were changes applied up to now, so that a new start leaves some out? */
  #isFollowing = false;
  #isOff = false;
  #proof: Proof | undefined;

  constructor(target: () => Target, mirror: Pick<LocalMirror, 'apply' | 'isAt'>, clock: Clock, now: () => Moment) {
    this.#target = target;
    this.#mirror = mirror;
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

  /** Resolves when the step is applied; rejects if it is of a mirror that cannot be loaded. */
  apply(step: UpdatesStep): Promise<void> {
    this.#waiting.push(step);
    if (this.#waiting.filter(({ kind }) => kind === 'page').length > MAX_WAITING)
      this.#waiting = [{ kind: 'abandon' }, { kind: 'page', isStart: true, changes: [] }];
    this.#last = this.#last.catch(() => {}).then(() => this.#applyNext());
    return this.#last;
  }

  async #applyNext(): Promise<void> {
    const step = this.#waiting.shift();
    if (step === undefined) return; // several became one
    await this.#mirror.apply(step);
    if (step.kind === 'page') await this.#applyPage(step);
    else if (step.kind === 'swap') await this.#endAllFresh(this.#target());
  }

  async #applyPage(step: PageStep): Promise<void> {
    const subjects = subjectsOf(step);
    let target: Target;
    do {
      target = this.#target();
      if (step.isStart && (this.#isFollowing || step.isAgain)) await this.#endAllFresh(target);
      await this.#end(target, subjects, this.#mirror.isAt(step));
    } while (target !== this.#target()); // a reload came between: its cache may be a copy from before
    if (step.isForNext) return;
    this.#isFollowing = step.isOff !== true;
    this.#isOff = step.isOff === true;
    this.#proof = step.proof;
  }

  async #endAllFresh({ cache, loader }: Target): Promise<void> {
    loader.outdate(() => true);
    await inTurns(cache.endAllFresh(), this.#clock);
  }

  async #end({ cache, loader }: Target, subjects: readonly string[], isMirrored: boolean): Promise<void> {
    if (subjects.length === 0) return;
    const changed = new ChangedSubjects();
    for (let at = 0; at < subjects.length; at += SLICE) {
      if (at > 0) await nextTurn(this.#clock);
      for (const subject of subjects.slice(at, at + SLICE)) changed.add(subject);
    }
    loader.outdate((subject) => changed.covers(subject));
    const listed: readonly LookupSubject[] = await inTurns(cache.end(changed), this.#clock);
    if (isMirrored) for (const subject of listed) cache.forget(subject);
    else for (const subject of listed.slice(0, MAX_ASKED_AGAIN)) loader.refresh(subject);
  }
}

/** The subjects with changes, as they are written in the table and as they are meant. */
function subjectsOf({ changes }: PageStep): string[] {
  return changes.flatMap(({ key, entry }) =>
    entry === null || entry.subject === key.subject ? [key.subject] : [key.subject, entry.subject],
  );
}
