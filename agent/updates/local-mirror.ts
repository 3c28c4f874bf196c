import type { Entry } from '../../contract/check.ts';
import type { Address } from '../decision/address.ts';
import type { Clock } from '../decision/clock.ts';
import type { Decision } from '../decision/decision.ts';
import type { LookupSubject } from '../decision/lookup-subject.ts';
import type { MirrorAnswers } from '../decision/mirror-answers.ts';
import { inTurns } from '../decision/turns.ts';
import type { AskedLists } from '../mirror/asked-lists.ts';
import { Mirror } from '../mirror/mirror.ts';
import { elapsedMs, type Moment, provenAgeMs } from './freshness.ts';
import { HeldMirror } from './held-mirror.ts';
import { segmentBytes } from './segment-bytes.ts';
import type { BeginStep, MirrorStep, PageStep, SegmentStep } from './updates-step.ts';

export interface MirrorSettings {
  readonly asked: AskedLists;
  /** Where mirrors come from; one of another backend or of other lists is of no use. */
  readonly key: string;
  readonly maxEntries: number;
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  /** How long a mirror that is not up to date may be used: for what it has, and for what it does not have. */
  readonly listedMs: number;
  readonly unlistedMs: number;
}

/** `mismatch`: it is not what the backend has; `sync`: it misses changes; `over`: there are too many entries. */
export type Fault = 'mismatch' | 'sync' | 'over';

export interface MirrorReading {
  readonly state: 'off' | 'live' | 'loading' | 'behind';
  /** The age of the moment up to which every change is proven to be in it; null without a proof. */
  readonly ageSeconds: number | null;
  readonly entries: Readonly<Record<string, number>>;
  readonly bytes: number;
}

const RECOMPUTE_EVERY_MS = 3_600_000;
/** Pages that were asked for before a mirror came into use may come after that. */
const MAX_STRAGGLERS = 3;
const NEVER = Number.NEGATIVE_INFINITY;
/** How long slices are run in one turn of the event loop. */
const TURN_MS = 2;

/** The mirror of this process: the one in use, and the one that is being loaded beside it. */
export class LocalMirror implements MirrorAnswers {
  readonly #clock: Clock;
  readonly #now: () => Moment;
  readonly #faulty: (fault: Fault, lists: readonly string[]) => void;
  #settings: MirrorSettings | undefined;
  #served: HeldMirror | undefined;
  #next: HeldMirror | undefined;
  /** Until when it answers at once: what it has, and what it does not have. */
  #deniesUntilMs = NEVER;
  #allowsUntilMs = NEVER;
  #stragglers = 0;
  #cancel = () => {};

  constructor(clock: Clock, now: () => Moment, faulty: (fault: Fault, lists: readonly string[]) => void) {
    this.#clock = clock;
    this.#now = now;
    this.#faulty = faulty;
  }

  /** Settings from now on; without any there is no mirror. */
  use(settings: MirrorSettings | undefined): void {
    const isSame = settings !== undefined && settings.key === this.#settings?.key;
    this.#settings = settings;
    if (isSame) for (const held of [this.#served, this.#next]) held?.tables.ask(settings.asked);
    else {
      this.#cancel();
      this.#served = undefined;
      this.#next = undefined;
    }
    this.#setLiveTimes();
  }

  close(): void {
    this.use(undefined);
  }

  /** The mirror in use. */
  get held(): HeldMirror | undefined {
    return this.#served;
  }

  get state(): MirrorReading {
    const { lists } = this.#settings?.asked ?? { lists: [] };
    if (this.#served === undefined) {
      const state = this.#settings === undefined ? 'off' : 'loading';
      return { state, ageSeconds: null, entries: {}, bytes: this.#next?.tables.bytes ?? 0 };
    }
    const { tables, asOfMs } = this.#served;
    const nowMs = this.#clock.nowMs();
    return {
      state: nowMs < this.#allowsUntilMs ? 'live' : 'behind',
      ageSeconds: Number.isFinite(asOfMs) ? Math.max(0, nowMs - asOfMs) / 1000 : null,
      entries: Object.fromEntries(lists.map((list) => [list, tables.sumOf(list)?.count ?? 0])),
      bytes: tables.bytes + (this.#next?.tables.bytes ?? 0),
    };
  }

  liveAddress(address: Address, nowMs: number): Decision | undefined {
    if (nowMs >= this.#deniesUntilMs && nowMs >= this.#allowsUntilMs) return undefined;
    return this.#ifLive(this.#served?.tables.lookupAddress(address, nowMs).live, nowMs);
  }

  live(text: string, nowMs: number): Decision | undefined {
    if (nowMs >= this.#deniesUntilMs && nowMs >= this.#allowsUntilMs) return undefined;
    return this.#ifLive(this.#served?.tables.lookup(text, nowMs).live, nowMs);
  }

  stale(subject: LookupSubject): Decision | undefined {
    const [held, settings] = [this.#served, this.#settings];
    if (held === undefined || settings === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    const { address, text } = subject;
    const { stale } = address ? held.tables.lookupAddress(address, nowMs) : held.tables.lookup(text, nowMs);
    if (stale === undefined) return undefined;
    if (stale.action !== 'allow') return nowMs - held.receivedMs <= settings.listedMs ? stale : undefined;
    return !held.isMismatched && nowMs - held.provenMs <= settings.unlistedMs ? stale : undefined;
  }

  /** What it says now, live or as a stale answer. */
  explain(subject: LookupSubject): Decision | undefined {
    const nowMs = this.#clock.nowMs();
    const live = subject.address ? this.liveAddress(subject.address, nowMs) : this.live(subject.text, nowMs);
    return live ?? this.stale(subject);
  }

  combined(subject: LookupSubject, answered: Entry | null): Entry | null {
    return this.#served?.tables.combined(subject, answered, this.#clock.nowMs()) ?? answered;
  }

  /** Applies what concerns the mirror. Rejects if it cannot be loaded like this. */
  async apply(step: MirrorStep | PageStep): Promise<void> {
    switch (step.kind) {
      case 'begin':
        return this.#begin(step);
      case 'segment':
        return this.#fill(step);
      case 'page':
        return step.isForNext ? this.#applyToNext(step) : this.#applyToServed(step);
      case 'swap':
        return this.#swap(step.isOld ?? false);
      case 'abandon':
        this.#next = undefined;
    }
  }

  /** Has the mirror in use everything up to the end of this page? */
  isAt({ place }: PageStep): boolean {
    return place !== undefined && this.#served?.cursor === place.cursor;
  }

  #begin(step: BeginStep): void {
    if (this.#settings === undefined) throw new Error('no mirror is wanted any more');
    const { asked, maxEntries } = this.#settings;
    this.#next = new HeldMirror(step, new Mirror(asked, maxEntries), this.#clock.nowMs());
    this.#setEpoch(this.#next, step.clockAheadMs);
  }

  async #fill({ index, packed }: SegmentStep): Promise<void> {
    const next = this.#next;
    const segment = next?.segments[index];
    if (next === undefined || segment === undefined) throw new Error('no mirror is being loaded');
    await this.#run(next.fill(segment.list, await segmentBytes(packed, segment)));
  }

  async #applyToNext(step: PageStep): Promise<void> {
    if (this.#next === undefined) throw new Error('no mirror is being loaded');
    await this.#applyTo(this.#next, step);
  }

  async #applyToServed(step: PageStep): Promise<void> {
    const held = this.#served;
    if (this.#settings === undefined || step.place === undefined) return;
    if (held !== undefined && held.cursor === step.place.after) await this.#applyTo(held, step);
    else if (this.#next === undefined && --this.#stragglers < 0) this.#faulty('sync', []);
  }

  async #applyTo(held: HeldMirror, step: PageStep): Promise<void> {
    const wasMismatched = held.isMismatched;
    await this.#run(held.apply(step));
    const nowMs = this.#clock.nowMs();
    if (step.clockAheadMs !== undefined) this.#setEpoch(held, step.clockAheadMs);
    held.asOfMs = nowMs - provenAgeMs(step.proof, this.#now());
    held.provenMs = Math.max(held.provenMs, held.asOfMs);
    held.receivedMs = nowMs - (step.askedAt === undefined ? 0 : elapsedMs(step.askedAt, this.#now()));
    if (held !== this.#served) return;
    this.#setLiveTimes();
    if (held.isMismatched && !wasMismatched) this.#faulty('mismatch', held.differing(step.checkpoint ?? {}));
    if (held.tables.isOver) this.#dropTooLarge();
  }

  #swap(isOld: boolean): void {
    const next = this.#next;
    if (next === undefined) throw new Error('no mirror is being loaded');
    this.#next = undefined;
    if (isOld) next.asOfMs = NEVER;
    this.#served = next;
    this.#stragglers = MAX_STRAGGLERS;
    this.#setLiveTimes();
    this.#recomputeLater();
    if (next.isMismatched) this.#faulty('mismatch', []);
    if (next.tables.isOver) this.#dropTooLarge();
  }

  #dropTooLarge(): void {
    this.#served = undefined;
    this.#setLiveTimes();
    this.#faulty('over', []);
  }

  #setLiveTimes(): void {
    const isUsable = this.#served !== undefined && !this.#served.isMismatched;
    const asOfMs = isUsable ? (this.#served?.asOfMs ?? NEVER) : NEVER;
    this.#deniesUntilMs = asOfMs + (this.#settings?.denyTtlMs ?? 0);
    this.#allowsUntilMs = asOfMs + (this.#settings?.allowTtlMs ?? 0);
  }

  #setEpoch({ tables }: HeldMirror, clockAheadMs: number): void {
    tables.setEpoch(this.#clock.epochMs() + clockAheadMs, this.#clock.nowMs());
  }

  #ifLive(decision: Decision | undefined, nowMs: number): Decision | undefined {
    if (decision === undefined) return undefined;
    return nowMs < (decision.action === 'allow' ? this.#allowsUntilMs : this.#deniesUntilMs) ? decision : undefined;
  }

  /** Only this sees what changed in memory without a change in the log. */
  #recomputeLater(): void {
    this.#cancel();
    if (this.#served === undefined) return;
    this.#cancel = this.#clock.after(
      RECOMPUTE_EVERY_MS,
      () => void this.#recompute().finally(() => this.#recomputeLater()),
    );
  }

  async #recompute(): Promise<void> {
    const held = this.#served;
    if (held === undefined) return;
    const lists = await this.#run(held.tables.recompute());
    if (lists.length === 0 || held !== this.#served || held.isMismatched) return;
    held.isMismatched = true;
    this.#setLiveTimes();
    this.#faulty('mismatch', lists);
  }

  #run<Result>(slices: Generator<void, Result>): Promise<Result> {
    return inTurns(slices, this.#clock, TURN_MS);
  }
}
