import pLimit from 'p-limit';
import type { Mirror as Manifest } from '../../contract/mirror.ts';
import type { KnownMirror, LogAnswer, LogPlace, MirrorAnswer } from '../backend/backend.ts';
import { SEGMENTS_AT_A_TIME } from '../backend/log-client.ts';
import { Backoff } from '../decision/backoff.ts';
import type { Clock } from '../decision/clock.ts';
import type { Moment } from './freshness.ts';
import type { LoadCause } from './load-cause.ts';
import { pageStep, type UpdatesStep } from './updates-step.ts';

/** Where mirrors are loaded from now; another object after a reload. */
export interface MirrorSource {
  readonly lists: readonly string[];
  readonly maxEntries: number;
  /** `same` if it is this one. */
  manifest(known: KnownMirror | undefined): Promise<MirrorAnswer>;
  segment(url: string, id: string, n: number): Promise<Uint8Array | 'gone'>;
  updates(place: LogPlace): Promise<LogAnswer>;
}

export interface LoadEvents {
  loaded(cause: LoadCause, what: { readonly id: string; readonly entries: number; readonly tookMs: number }): void;
  /** So many loads in a row failed. */
  failed(error: Error, times: number): void;
  /** The backend has no mirror, or none now. */
  none(url: string, isForNow: boolean): void;
  tooLarge(entries: number, maxEntries: number): void;
  /** The mirror that was loaded because of a fault is the same one, and has it too. */
  stillMismatched(id: string): void;
}

const BACKOFF_MS = { first: 2_000, most: 60_000 } as const;
/** How often it is looked whether there is another mirror, after one that is of no use. */
const OTHER_MS = 60_000;
/** How often a backend without a mirror is asked again, or one whose mirror was gone as soon as it was loaded. */
const NONE_MS = 300_000;

/** All agents of a site do the same at the same time otherwise. */
const JITTER_MS: Readonly<Record<LoadCause, number>> = {
  ...{ start: 0, gone: 2_000, backlog: 10_000, mismatch: 60_000, worker: 1_000, file: 60_000 },
  over: NONE_MS,
};

/** Pages are cheaper up to here. */
const MIN_BACKLOG = 2_000;

/** What came of a load: when to try again. */
type Outcome = 'loaded' | 'stopped' | { readonly againMs: number };

/** A manifest that was answered, and when. */
interface Known {
  readonly source: MirrorSource;
  readonly url: string;
  readonly manifest: Manifest;
  readonly atMs: number;
}

/** Loads mirrors, one at a time, outside of the budget of calls and the breaker. */
export class MirrorLoader {
  readonly #source: () => MirrorSource | undefined;
  readonly #apply: (step: UpdatesStep) => Promise<void>;
  readonly #moveTo: (place: LogPlace, lists: readonly string[]) => void;
  readonly #position: () => number | undefined;
  readonly #events: LoadEvents;
  readonly #clock: Clock;
  readonly #now: () => Moment;
  readonly #random: () => number;
  readonly #backoff = new Backoff(BACKOFF_MS.first, BACKOFF_MS.most);
  #wanted: LoadCause | undefined;
  #isLoading = false;
  #isFaulty = false;
  #isClosed = false;
  #failures = 0;
  /** Not asked for again while it is the same, unless a load of it failed. */
  #known: Known | undefined;
  /** The mirror that was loaded last, and the one that was loaded because another one had a fault. */
  #lastId: string | undefined;
  #mendedBy: string | undefined;
  #cancel = () => {};

  constructor(
    {
      source,
      apply,
      moveTo,
      position,
    }: {
      source: () => MirrorSource | undefined;
      apply: (step: UpdatesStep) => Promise<void>;
      /** Polls go on from there. */
      moveTo: (place: LogPlace, lists: readonly string[]) => void;
      /** Of the mirror in use, in the log; undefined without one. */
      position: () => number | undefined;
    },
    events: LoadEvents,
    clock: Clock,
    now: () => Moment,
    random: () => number = Math.random,
  ) {
    this.#source = source;
    this.#apply = apply;
    this.#moveTo = moveTo;
    this.#position = position;
    this.#events = events;
    this.#clock = clock;
    this.#now = now;
    this.#random = random;
  }

  /** A mirror is wanted; the first cause counts until it is there, but a backlog may need none. */
  want(cause: LoadCause): void {
    if (this.#isLoading && cause === 'mismatch') this.#isFaulty = true; // perhaps the one that is being loaded
    const isStronger = this.#wanted === undefined || (this.#wanted === 'backlog' && cause !== 'backlog');
    if (!isStronger || this.#isClosed) return;
    this.#wanted = cause;
    if (!this.#isLoading) this.#tryIn(this.#random() * JITTER_MS[cause]);
  }

  /** The source may be another one now. */
  reloaded(): void {
    this.#cancel();
    const wanted = this.#position() === undefined ? 'start' : this.#wanted;
    this.#wanted = undefined;
    this.#backoff.reset();
    if (wanted !== undefined) this.want(wanted);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #tryIn(delayMs: number): void {
    this.#cancel();
    if (!this.#isClosed) this.#cancel = this.#clock.after(delayMs, () => void this.#try());
  }

  async #try(): Promise<void> {
    if (this.#isLoading) return this.#tryIn(BACKOFF_MS.first); // the one of before a reload
    const [source, cause] = [this.#source(), this.#wanted];
    if (source === undefined || cause === undefined) return;
    this.#isLoading = true;
    this.#isFaulty = false;
    const outcome = await this.#load(source, cause).catch((error) => this.#failed(source, error));
    this.#isLoading = false;
    if (outcome === 'stopped') return this.#apply({ kind: 'abandon' });
    if (outcome !== 'loaded') return this.#tryIn(outcome.againMs * (0.5 + this.#random() / 2));
    const next = this.#wanted === cause ? undefined : this.#wanted;
    this.#wanted = undefined;
    this.#failures = 0;
    this.#backoff.reset();
    if (next !== undefined) this.want(next);
    if (this.#isFaulty) this.want('mismatch');
  }

  async #failed(source: MirrorSource, error: unknown): Promise<Outcome> {
    this.#known = undefined;
    if (this.#isOver(source)) return 'stopped';
    await this.#apply({ kind: 'abandon' });
    this.#failures++;
    this.#events.failed(error instanceof Error ? error : new Error(String(error)), this.#failures);
    return { againMs: this.#backoff.take() };
  }

  async #load(source: MirrorSource, cause: LoadCause): Promise<Outcome> {
    const beganMs = this.#clock.nowMs();
    const { url, manifest } = await this.#manifest(source);
    if (this.#isOver(source)) return 'stopped';
    if (typeof manifest === 'string') {
      this.#events.none(url, manifest === 'not yet');
      return { againMs: manifest === 'none' ? NONE_MS : this.#backoff.take() };
    }
    const entries = Object.values(manifest.lists).reduce((sum, { count }) => sum + count, 0);
    if (entries > source.maxEntries) {
      this.#events.tooLarge(entries, source.maxEntries);
      return { againMs: NONE_MS };
    }
    if (cause === 'backlog' && manifest.position - (this.#position() ?? 0) < MIN_BACKLOG) return 'loaded';
    if (cause === 'mismatch' && manifest.id === this.#lastId && manifest.id === this.#mendedBy) {
      this.#events.stillMismatched(manifest.id);
      return { againMs: OTHER_MS };
    }
    await this.#apply({ kind: 'begin', url, manifest, clockAheadMs: manifest.now - this.#now().epochMs });
    if (!(await this.#fill(source, url, manifest))) return this.#abandoned(source, BACKOFF_MS.first);
    const place = await this.#catchUp(source, { url, cursor: manifest.cursor });
    if (place === undefined) return this.#abandoned(source, NONE_MS);
    if (this.#isOver(source)) return 'stopped';
    await this.#apply({ kind: 'swap' });
    this.#moveTo(place, source.lists);
    this.#lastId = manifest.id;
    if (cause === 'mismatch') this.#mendedBy = manifest.id;
    this.#events.loaded(cause, { id: manifest.id, entries, tookMs: this.#clock.nowMs() - beganMs });
    return 'loaded';
  }

  async #manifest(source: MirrorSource): Promise<{ url: string; manifest: Manifest | 'none' | 'not yet' }> {
    const known = this.#known?.source === source ? this.#known : undefined;
    this.#known = undefined;
    const { url, answer } = await source.manifest(known && { url: known.url, id: known.manifest.id });
    if (answer === 'none' || answer === 'not yet') return { url, manifest: answer };
    const atMs = this.#clock.nowMs();
    const manifest = answer === 'same' ? known && asOf(known, atMs) : answer;
    if (manifest === undefined) throw new Error(`${url} says 304 to a request without an id`);
    this.#known = { source, url, manifest, atMs };
    return { url, manifest };
  }

  /** Segments come some at a time, and are added one after the other. False if the backend has another mirror by now. */
  async #fill(source: MirrorSource, url: string, { id, segments }: Manifest): Promise<boolean> {
    const limit = pLimit(SEGMENTS_AT_A_TIME);
    let isGone = false;
    const loads = segments.map(({ n }, index) =>
      limit(async () => {
        if (isGone || this.#isOver(source)) return;
        const packed = await source.segment(url, id, n);
        if (packed === 'gone') isGone = true;
        else await this.#apply({ kind: 'segment', index, packed });
      }),
    );
    try {
      await Promise.all(loads);
    } catch (error) {
      isGone = true; // for those that have not begun
      throw error;
    }
    return !isGone && !this.#isOver(source);
  }

  /** Applies what came after the mirror was made. Returns where that ends; undefined if its place is not in the log. */
  async #catchUp(source: MirrorSource, from: LogPlace): Promise<LogPlace | undefined> {
    for (let place = from; ; ) {
      const askedAt = this.#now();
      const { url, isEnd, answer } = await source.updates(place);
      if (this.#isOver(source) || isEnd || typeof answer === 'string') return undefined;
      const step = pageStep(answer, { askedAt, gotAt: this.#now(), after: place.cursor });
      await this.#apply({ ...step, isForNext: true });
      place = { url, cursor: answer.cursor };
      if (!answer.more) return place;
    }
  }

  async #abandoned(source: MirrorSource, againMs: number): Promise<Outcome> {
    this.#known = undefined;
    if (this.#isOver(source)) return 'stopped';
    await this.#apply({ kind: 'abandon' });
    return { againMs };
  }

  #isOver(source: MirrorSource): boolean {
    return this.#isClosed || this.#source() !== source;
  }
}

/** The manifest as it would be answered now. */
function asOf({ manifest, atMs: beforeMs }: Known, atMs: number): Manifest {
  return { ...manifest, now: manifest.now + Math.round(atMs - beforeMs) };
}
