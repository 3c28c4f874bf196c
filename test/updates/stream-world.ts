import type { Item } from '../../blocklist/store.ts';
import type { Change } from '../../contract/updates.ts';
import { append, type Batch, type ChangeKey } from '../../updates/append.ts';
import { type Built, build } from '../../updates/builder.ts';
import type { BuilderDeps } from '../../updates/building.ts';
import { changeOf } from '../../updates/change.ts';
import { placeOf } from '../../updates/cursor.ts';
import { type PageRead, pageAfter, pageAtEnd } from '../../updates/page.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryMirrors } from '../support/memory-mirrors.ts';

export const SHARDS = 3;
/** Of every form that a mirror keeps in its own way; one is another spelling. */
export const KEYS = [
  'host:a.example',
  'ua:x y',
  'ip:192.0.2.1',
  'ip:198.51.100.0/24',
  'ip:2001:db8::1',
  '203.0.113.7',
].map((subject) => ({ subject, list: 'manual' }));
/** How long a stream keeps its events. */
const KEPT_MS = 24 * 3_600_000;

interface Event {
  readonly key: ChangeKey | undefined;
  readonly canary: string | undefined;
  readonly createdMs: number;
}

/** A writer under way: it goes on step by step, or never. */
interface Writer {
  readonly shard: number;
  readonly events: readonly Event[];
  /** Lets it take its next step. */
  step: () => void;
  /** Has Lambda given it up, so that its batch comes again? It may go on nevertheless. */
  isGivenUp: boolean;
}

/** A builder under way. */
export interface Builder {
  /** Lets it take its next step. */
  step: () => void;
  isDone: boolean;
}

/** A table with a stream, writers and a log, in model time. Every part but the table and the stream is the real one. */
export class StreamWorld {
  readonly log = new MemoryLog();
  readonly mirrors = new MemoryMirrors();
  /** Those that go on step by step. */
  readonly builders: Builder[] = [];
  /** Keys that they found the log to be wrong about. */
  repairs = 0;
  /** How far their clock is ahead of that of the stream. */
  builderAheadMs = 0;
  /** What each key said, and since when; undefined is no item. */
  readonly history = new Map(KEYS.map((key) => [nameOf(key), [{ sinceMs: 0, text: undefined as string | undefined }]]));
  readonly writers: Writer[] = [];
  /** When what an item says expires, in epoch seconds. */
  readonly expiries = new Map<string, number>();
  nowMs = 1_790_000_000_000;
  readonly #shards: Event[][] = Array.from({ length: SHARDS }, () => []);
  #stream = 's1';
  #ids = 0;
  #versions = 0;

  /** Puts a new version of an item, or removes it. */
  write(key: ChangeKey, isRemoved: boolean): void {
    this.nowMs += 1;
    const text = isRemoved ? undefined : `v${++this.#versions}`;
    if (text !== undefined && this.#versions % 3 === 0) this.expiries.set(text, Math.floor(this.nowMs / 1000) + 1000);
    this.#say(key, text);
    this.#emit({ key, canary: undefined });
  }

  writeCanaries(canaries: readonly string[]): void {
    for (const canary of canaries) this.#emit({ key: undefined, canary });
  }

  /** The table as it was, with a new stream: what was on the old one is lost. */
  restore(): void {
    this.nowMs += 1;
    for (const key of KEYS) this.#say(key, this.history.get(nameOf(key))?.at(-2)?.text);
    for (const events of this.#shards) events.splice(0);
    this.#stream += '+';
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const events of this.#shards)
      events.splice(0, events.findLastIndex(({ createdMs }) => this.nowMs - createdMs > KEPT_MS) + 1);
  }

  /** Starts a writer on the oldest events of a shard, unless it has one. */
  start(shard: number, most: number): void {
    const events = (this.#shards[shard] ?? []).slice(0, most);
    if (events.length === 0 || this.writers.some((one) => one.shard === shard && !one.isGivenUp)) return;
    const writer: Writer = { shard, events, step: () => {}, isGivenUp: false };
    this.writers.push(writer);
    void this.#run(writer);
  }

  /** One step of a writer; what it waits for is done when this resolves. */
  async step(writer: { step: () => void } | undefined): Promise<void> {
    writer?.step();
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  }

  /** The writer dies, or Lambda only thinks so. */
  giveUp(writer: Writer | undefined, isDead: boolean): void {
    if (writer === undefined) return;
    writer.isGivenUp = true;
    if (isDead) this.writers.splice(this.writers.indexOf(writer), 1);
  }

  /** Everything that waits reaches the log, in batches of so many events. */
  async settle(most = 100): Promise<void> {
    for (let round = 0; round < 10_000; round++) {
      for (let shard = 0; shard < SHARDS; shard++) this.start(shard, most);
      if (this.writers.length === 0) return;
      for (const writer of [...this.writers]) await this.step(writer);
    }
    throw new Error('writers never end');
  }

  /** Runs a builder from its first step to its last. */
  build(version = 'v1'): Promise<Built> {
    return build(this.#builderDeps(version, async () => {}));
  }

  /** Starts a builder that goes on step by step, or never. */
  startBuilder(version = 'v1'): Builder {
    const waiting: (() => void)[] = [];
    const builder: Builder = { step: () => waiting.shift()?.(), isDone: false };
    this.builders.push(builder);
    const turn = () => new Promise<void>((resolve) => void waiting.push(resolve));
    const end = () => {
      builder.isDone = true;
      this.builders.splice(this.builders.indexOf(builder), 1);
    };
    void build(this.#builderDeps(version, turn)).then(({ repairs }) => {
      this.repairs += repairs;
      end();
    });
    return builder;
  }

  #builderDeps(version: string, turn: () => Promise<void>): BuilderDeps {
    const { log, mirrors } = this;
    const each =
      <Given extends unknown[], Result>(run: (...given: Given) => Promise<Result>) =>
      async (...given: Given) => {
        await turn();
        return run(...given);
      };
    const itemOf = (key: ChangeKey) => this.#itemOf(key);
    return {
      log: {
        tail: each(() => log.tail()),
        from: each((number) => log.from(number)),
        put: each((record) => log.put(record)),
      },
      mirrors: {
        manifest: each(() => mirrors.manifest()),
        putManifest: each((manifest, replaced) => mirrors.putManifest(manifest, replaced)),
        segment: each((id, n) => mirrors.segment(id, n)),
        putSegment: each((id, n, packed) => mirrors.putSegment(id, n, packed)),
      },
      scan: async function* () {
        for (const key of KEYS) {
          await turn();
          const item = itemOf(key);
          if (item !== undefined) yield item;
        }
      },
      read: each(async (keys) => keys.map((key) => this.#changeOf(key))),
      write: each(async (canaries) => this.writeCanaries(canaries)),
      lease: each(async () => true),
      newId: () => this.#newId(),
      clock: () => this.nowMs + this.builderAheadMs,
      wait: each(async (ms) => {
        this.nowMs += ms;
        await this.settle();
      }),
      version,
    };
  }

  /** What an agent with this cursor is answered; undefined is 410. */
  async poll(cursor: string | undefined): Promise<PageRead | undefined> {
    const options = { lists: ['manual'], nowMs: this.nowMs, waitMs: 1000 };
    if (cursor === undefined) return pageAtEnd(await this.log.tail(), options);
    const place = placeOf(cursor);
    return place === undefined ? undefined : pageAfter(place, await this.log.from(place.number), options);
  }

  /** Whether the item said this at some moment since then. */
  saidSince(key: ChangeKey, text: string | undefined, sinceMs: number): boolean {
    return this.textsSince(key, sinceMs).includes(text);
  }

  /** All that the item said at some moment since then. */
  textsSince(key: ChangeKey, sinceMs: number): (string | undefined)[] {
    const versions = this.history.get(nameOf(key)) ?? [];
    const first = versions.findLastIndex((version) => version.sinceMs <= sinceMs);
    return versions.slice(Math.max(0, first)).map(({ text }) => text);
  }

  /** The same of what has not expired. */
  unexpired(text: string | undefined): string | undefined {
    return ((text !== undefined && this.expiries.get(text)) || Number.POSITIVE_INFINITY) * 1000 > this.nowMs
      ? text
      : undefined;
  }

  textOf(key: ChangeKey): string | undefined {
    return this.history.get(nameOf(key))?.at(-1)?.text;
  }

  #say(key: ChangeKey, text: string | undefined): void {
    this.history.get(nameOf(key))?.push({ sinceMs: this.nowMs, text });
  }

  #emit(what: Pick<Event, 'key' | 'canary'>): void {
    const shard = hash(what.key === undefined ? `${what.canary}` : nameOf(what.key)) % SHARDS;
    this.#shards[shard]?.push({ ...what, createdMs: Math.floor(this.nowMs / 1000) * 1000 });
  }

  async #run(writer: Writer): Promise<void> {
    const turn = () =>
      new Promise<void>((resolve) => {
        writer.step = resolve;
      });
    const batch = this.#batchOf(writer.events);
    await append(batch, {
      log: {
        tail: async () => {
          await turn();
          return this.log.tail();
        },
        from: async (number) => {
          await turn();
          return this.log.from(number);
        },
        put: async (record) => {
          await turn();
          return this.log.put(record);
        },
      },
      read: async (keys) => {
        await turn();
        return keys.map((key) => this.#changeOf(key));
      },
      newId: () => this.#newId(),
      clock: () => this.nowMs,
    });
    this.writers.splice(this.writers.indexOf(writer), 1);
    if (writer.isGivenUp) return;
    const events = this.#shards[writer.shard] ?? [];
    const taken = new Set(writer.events);
    events.splice(0, events.length, ...events.filter((event) => !taken.has(event)));
  }

  #changeOf(key: ChangeKey): Change {
    return changeOf(key, this.#itemOf(key), () => {});
  }

  #itemOf(key: ChangeKey): Item | undefined {
    const reason = this.textOf(key);
    if (reason === undefined) return undefined;
    const expiresAt = this.expiries.get(reason);
    return { ...key, action: 'deny', reason, ...(expiresAt !== undefined && { expiresAt }) };
  }

  #batchOf(events: readonly Event[]): Batch {
    const keys = new Map(events.flatMap(({ key }) => (key === undefined ? [] : [[nameOf(key), key] as const])));
    const canaries: Record<string, number> = {};
    for (const { canary, createdMs } of events) if (canary !== undefined) canaries[canary] = createdMs;
    const oldestMs = Math.min(...events.map(({ createdMs }) => createdMs));
    return { keys: [...keys.values()], canaries, stream: this.#stream, oldestMs };
  }

  #newId(): string {
    return `i${++this.#ids}`;
  }
}

export function nameOf({ subject, list }: ChangeKey): string {
  return `${subject}\n${list}`;
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (Math.imul(sum, 31) + character.charCodeAt(0)) >>> 0, 7);
}
