import type { ServerResponse } from 'node:http';
import type { KnownMirror, LogAnswer, LogPlace, MirrorAnswer } from '../../agent/backend/backend.ts';
import type { Entry } from '../../contract/check.ts';
import type { Mirror as Manifest } from '../../contract/mirror.ts';
import type { Change, ListStates, UpdatesPage } from '../../contract/updates.ts';
import { Fold } from '../../updates/fold.ts';
import { type PackedSegment, segmentsOf } from '../../updates/segment.ts';

/** A change that puts an entry, or removes it. */
export function changeOf(subject: string, entry: Partial<Entry> | null = {}, list = 'manual'): Change {
  return { key: { subject, list }, entry: entry && { subject, list, action: 'deny', ...entry } };
}

interface Made {
  readonly id: string;
  readonly position: number;
  readonly states: ListStates;
  readonly segments: readonly PackedSegment[];
}

/** Lists with a log of changes and a mirror, in memory: what the function, the writer and the builder are together. */
export class MirrorBackend {
  readonly #lists: readonly string[];
  readonly #fold = new Fold();
  readonly #log: (readonly Change[])[] = [];
  #made: Made | undefined;
  #base = 'a';
  /** The age of the proof in every page; null for none. */
  provenAgeMs: number | null = 300;
  /** Changes of a page. */
  recordsAPage = 100;
  url = 'https://one.example';
  now: () => number;
  /** What becomes of a segment on the way. */
  onTheWay: (packed: Uint8Array, n: number) => Uint8Array | 'gone' = (packed) => packed;
  /** Pages that end here say what the lists have. */
  countsAt = -1;
  /** Pages that end at the end of the log do. */
  counts = false;
  /** All pages say something else. */
  miscounts = false;
  readonly asked: string[] = [];

  constructor(lists: readonly string[] = ['manual'], now: () => number = () => Date.now()) {
    this.#lists = lists;
    this.now = now;
  }

  /** The end of the log. */
  get cursor(): string {
    return this.#cursorAt(this.position);
  }

  get position(): number {
    return this.#log.length;
  }

  /** Appends one record. */
  put(...changes: readonly Change[]): void {
    for (const change of changes) this.#fold.apply(change);
    this.#log.push(changes);
  }

  /** What every list has now. */
  get states(): ListStates {
    const none = { count: 0, digest: '0'.repeat(16) };
    return Object.fromEntries(this.#lists.map((list) => [list, this.#fold.states[list] ?? none]));
  }

  /** Makes a mirror of what is true now. */
  build(id: string): void {
    const segments = this.#lists.flatMap((list) => [...segmentsOf(list, this.#fold.entriesOf(list))]);
    this.#made = { id, position: this.position, states: this.states, segments };
  }

  /** The table was replaced: no earlier place is in the log any more. */
  replaceLog(): void {
    this.#base += 'a';
  }

  async manifest(known?: KnownMirror): Promise<MirrorAnswer> {
    const isSame = known?.url === this.url && known.id === this.#made?.id;
    this.asked.push(isSame ? 'the same manifest' : 'manifest');
    return { url: this.url, answer: isSame ? 'same' : (this.manifestNow() ?? 'not yet') };
  }

  manifestNow(): Manifest | undefined {
    if (this.#made === undefined) return undefined;
    const { id, position, states, segments } = this.#made;
    return {
      ...{ id, position, cursor: this.#cursorAt(position), lists: states, now: this.now() },
      segments: segments.map(({ list, digest, bytes, entries }, n) => ({ n, list, digest, bytes, entries })),
    };
  }

  async segment(_url: string, id: string, n: number): Promise<Uint8Array | 'gone'> {
    this.asked.push(`segment ${n}`);
    const packed = id === this.#made?.id ? this.#made.segments[n]?.packed : undefined;
    return packed === undefined ? 'gone' : this.onTheWay(packed, n);
  }

  async updates(place: LogPlace | undefined): Promise<LogAnswer> {
    this.asked.push('updates');
    const isEnd = place?.url !== this.url;
    return { url: this.url, isEnd, answer: this.page(isEnd ? undefined : place?.cursor) };
  }

  page(after: string | undefined): UpdatesPage | 'gone' {
    const [base, number] = after === undefined ? [this.#base, this.position] : after.split('.');
    if (base !== this.#base) return 'gone';
    const from = Number(number);
    const to = Math.min(this.position, from + this.recordsAPage);
    return {
      ...{ cursor: this.#cursorAt(to), position: to, changes: this.#log.slice(from, to).flat() },
      ...{ provenAgeMs: this.provenAgeMs, now: this.now(), more: to < this.position, waitMs: 1000 },
      ...((to === this.countsAt || (this.counts && to === this.position)) && { checkpoint: { lists: this.states } }),
      ...(this.miscounts && { checkpoint: { lists: this.#miscounted() } }),
    };
  }

  /** Answers a request as the function would; false if it is none of these. */
  answer(url: URL, response: ServerResponse): boolean {
    const [, , what, id = '', n = ''] = url.pathname.split('/');
    if (what === 'updates') {
      const page = this.page(url.searchParams.get('after') ?? undefined);
      response.writeHead(page === 'gone' ? 410 : 200).end(JSON.stringify(page));
    } else if (what === 'mirror' && id === '') {
      const manifest = this.manifestNow();
      response.writeHead(manifest === undefined ? 503 : 200).end(JSON.stringify(manifest ?? {}));
    } else if (what === 'mirror') {
      const packed = id === this.#made?.id ? this.#made.segments[Number(n)]?.packed : undefined;
      response.writeHead(packed === undefined ? 404 : 200, { 'content-encoding': 'gzip' }).end(packed);
    } else return false;
    return true;
  }

  #miscounted(): ListStates {
    const states = Object.entries(this.states);
    return Object.fromEntries(states.map(([list, { count, digest }]) => [list, { count: count + 1, digest }]));
  }

  #cursorAt(position: number): string {
    return `${this.#base}.${position}.x`;
  }
}
