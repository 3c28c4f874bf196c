import { createHash } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import type { LogAnswer, LogPlace } from '../../../agent/backend/backend.ts';
import { MirrorLoader } from '../../../agent/updates/mirror-loader.ts';
import { Poller } from '../../../agent/updates/poller.ts';
import type { Item, Key } from '../../../blocklist/store.ts';
import { RESERVED, SHARDS } from '../../../blocklist/table.ts';
import { ENDPOINTS } from '../../../contract/check.ts';
import { Mirror, mirrorQuery, segmentPath } from '../../../contract/mirror.ts';
import { UpdatesPage, updatesQuery } from '../../../contract/updates.ts';
import { createHandler, type Handler } from '../../../functions/check/handler.ts';
import { MirrorAnswers } from '../../../functions/check/mirror.ts';
import { Updates } from '../../../functions/check/updates.ts';
import { createWriter } from '../../../functions/update-writer/handler.ts';
import { build } from '../../../updates/builder.ts';
import type { BuilderDeps } from '../../../updates/building.ts';
import { CANARY_LIST } from '../../../updates/canary.ts';
import { changeOf } from '../../../updates/change.ts';
import { tryCanaries } from '../../../updates/trial.ts';
import { HandClock } from '../../support/clock.ts';
import { functionEvent } from '../../support/function-event.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { type Counted, CountedLog, CountedMirrors, itemBytes, nothingCounted } from './counted-tables.ts';

const REGION = 'us-east-1';
const URL = 'https://a.example';
const LIST = 'spamhaus-drop';
/** Lambda asks each shard four times a second. */
const STREAM_MS = 250;
/** What a function URL adds to an answer. */
const AWS_HEADERS = [
  'HTTP/1.1 200 OK',
  'Date: Mon, 30 Nov 2026 10:00:00 GMT',
  'Content-Length: 118',
  'Connection: keep-alive',
  'x-amzn-RequestId: 6e2f7f0e-6a54-4a43-9a8c-0d4f3a0c2b11',
  'X-Amzn-Trace-Id: Root=1-692c1a2b-3f4e5d6c7b8a9f0e1d2c3b4a;Parent=1f2e3d4c5b6a7988;Sampled=0;Lineage=1:0a1b2c3d:0',
].join('\r\n');

/** Agents that poll and load the mirror, the function, the writer and the builder, all real, on a clock in hand: counts what they use. */
export class UpdatesReplay {
  counted: Counted = nothingCounted();
  readonly #clock = new HandClock();
  readonly #log = new CountedLog((more) => this.#count(more));
  readonly #mirrors = new CountedMirrors((more) => this.#count(more));
  readonly #shards: DynamoDBRecord[][] = Array.from({ length: SHARDS }, () => []);
  readonly #writtenMs = new Map<string, number>();
  readonly #items = new Map<string, Item>();
  readonly #pollers: Poller[] = [];
  #ids = 0;
  #renewals = 0;
  readonly #writer = createWriter({
    region: REGION,
    table: { read: async (keys) => this.#read(keys) },
    log: this.#log,
    newId: () => this.#newId(),
    clock: () => this.#clock.epochMs(),
    write() {},
    measure() {},
  });

  readonly #builder: BuilderDeps = {
    log: this.#log,
    mirrors: this.#mirrors,
    scan: () => this.#scan(),
    read: async (keys) =>
      this.#read(keys).map((item, index) => changeOf(keys[index] ?? { subject: '', list: '' }, item, () => {})),
    write: async (canaries) => this.#writeCanaries(canaries, Number.POSITIVE_INFINITY),
    lease: async () => {
      this.#count({ writeUnits: 1 });
      return true;
    },
    newId: () => this.#newId(),
    version: '1',
    clock: () => this.#clock.epochMs(),
    wait: (ms) => new Promise<void>((resolve) => void this.#clock.after(ms, resolve)),
  };
  #handler: Handler = async () => ({ statusCode: 503 });

  /** Agents begin to poll, and the rule calls the builder each minute. */
  start(agents: number, pollMs: number): void {
    this.#clock.after(60_000, () => this.#eachMinute());
    this.#handler = this.#function(pollMs);
    const events = { followed() {}, failed() {}, none() {}, lost() {}, lagging() {} };
    const source = { lists: [LIST], pollMs, updates: (place: LogPlace | undefined) => this.#updates(place) };
    for (let left = agents; left > 0; left--)
      this.#pollers.push(
        new Poller(
          () => source,
          async () => {},
          events,
          this.#clock,
          this.#now,
          () => left / agents,
        ),
      );
  }

  /** An agent loads the mirror from the function, and what the log has since. */
  async load(): Promise<void> {
    const manifest = async () => ({
      url: URL,
      answer: Mirror.parse(JSON.parse(await this.#get(`${ENDPOINTS.mirror.path}?${mirrorQuery({ lists: [LIST] })}`))),
    });
    const segment = async (_: string, id: string, n: number) =>
      Buffer.from(await this.#get(segmentPath(id, n)), 'base64');
    const source = {
      lists: [LIST],
      maxEntries: 1e9,
      manifest,
      segment,
      updates: (place: LogPlace) => this.#updates(place),
    };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const none = () => reject(new Error('there is no mirror'));
    const events = { loaded: () => resolve(), failed: reject, none, tooLarge: none, stillMismatched: none };
    const target = { source: () => source, apply: async () => {}, moveTo() {}, position: () => undefined };
    const loader = new MirrorLoader(target, events, this.#clock, this.#now);
    loader.reloaded();
    await this.#passUntil(promise);
    loader.close();
  }

  #function(waitMs: number): Handler {
    const canaries = {
      write: async (names: readonly string[], _: number, beforeMs: number) => {
        this.#renewals++;
        this.#writeCanaries(names, beforeMs);
      },
    };
    return createHandler({
      ...{ store: new MemoryStore(), log() {}, clock: () => this.#clock.epochMs(), ttlSeconds: 300 },
      updates: new Updates({ log: this.#log, canaries, waitMs }),
      mirror: new MirrorAnswers({ log: this.#log, mirrors: this.#mirrors }),
    });
  }

  async #updates(place: LogPlace | undefined): Promise<LogAnswer> {
    const query = updatesQuery({ after: place?.cursor, lists: [LIST] });
    const answer = UpdatesPage.parse(JSON.parse(await this.#get(`${ENDPOINTS.updates.path}?${query}`)));
    return { url: URL, isEnd: place === undefined, answer };
  }

  /** The body of an answer, as the handler gives it. */
  async #get(path: string): Promise<string> {
    const { statusCode, headers, body = '', isBase64Encoded } = await this.#handler(functionEvent('GET', path));
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode} ${body}`);
    const lines = Object.entries(headers ?? {}).map(([name, value]) => `\r\n${name}: ${value}`);
    const bodyBytes = Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8');
    this.#count({ calls: 1, egressBytes: `${AWS_HEADERS}${lines.join('')}\r\n\r\n`.length + bodyBytes });
    return body;
  }

  readonly #now = () => ({ bootMs: this.#clock.nowMs(), epochMs: this.#clock.epochMs() });

  /** The builder scans the table, begins a base and makes a mirror. */
  async begin(): Promise<void> {
    await this.#passUntil(build(this.#builder));
  }

  async tryCanaries(): Promise<void> {
    await this.#passUntil(tryCanaries(this.#builder));
  }

  #eachMinute(): void {
    this.#count({ calls: 1 });
    void build(this.#builder);
    this.#clock.after(60_000, () => this.#eachMinute());
  }

  async #passUntil(done: Promise<unknown>): Promise<void> {
    let isDone = false;
    void done.finally(() => {
      isDone = true;
    });
    while (!isDone) await this.pass(50);
  }

  /** So many entries in one moment, as of a feed that gives each its reason. */
  write(count: number): void {
    for (const [index, subject] of this.#newSubjects(count).entries()) {
      this.#items.set(subject, this.#item(subject, `Spamhaus DROP SBL${index}`));
      this.#emit(subject, LIST, index);
    }
  }

  /** Entries that the table has from the begin, of a feed with one reason. */
  seed(count: number): void {
    for (const subject of this.#newSubjects(count)) this.#items.set(subject, this.#item(subject, 'on a list of bots'));
  }

  #item(subject: string, reason: string): Item {
    const createdAt = '2026-11-30T10:00:00.000Z';
    const expiresAt = this.#epochSeconds + 172_800;
    return { subject, list: LIST, action: 'deny', reason, expiresAt, createdAt, createdBy: 'feeds@lb-1.example' };
  }

  #newSubjects(count: number): string[] {
    return Array.from({ length: count }, () => {
      const [a = 0, b = 0, c = 0, d = 0] = createHash('sha256').update(this.#newId()).digest();
      return `ip:${a}.${b}.${c}.${d}`;
    });
  }

  async *#scan(): AsyncGenerator<Item> {
    let bytes = 0;
    for (const item of this.#items.values()) {
      bytes += itemBytes(item);
      yield item;
    }
    this.#count({ readUnits: Math.ceil(bytes / 4096) });
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = untilMs - this.#clock.nowMs()) {
      this.#clock.advance(Math.min(leftMs, this.#clock.nextInMs));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Until the canaries were written so many times more; returns how long that took. */
  async passRenewals(count: number): Promise<number> {
    const fromMs = this.#clock.nowMs();
    for (const until = this.#renewals + count; this.#renewals < until; ) await this.pass(10);
    return this.#clock.nowMs() - fromMs;
  }

  /** What was counted since the last time. */
  take(): Counted {
    const counted = this.counted;
    this.counted = nothingCounted();
    return counted;
  }

  close(): void {
    for (const poller of this.#pollers) poller.close();
  }

  get #epochSeconds(): number {
    return Math.floor(this.#clock.epochMs() / 1000);
  }

  #read(keys: readonly Key[]): Item[] {
    this.#count({ readUnits: keys.length });
    return keys.map(({ subject }) => this.#items.get(subject)).filter((item) => item !== undefined);
  }

  /** DynamoDB bills a write that its condition refuses, but then not that of the index. */
  #writeCanaries(canaries: readonly string[], beforeMs: number): void {
    for (const canary of canaries) {
      const isDue = (this.#writtenMs.get(canary) ?? 0) < beforeMs;
      this.#count({ writeUnits: isDue ? 2 : 1 });
      if (!isDue) continue;
      this.#writtenMs.set(canary, this.#clock.epochMs());
      this.#emit(RESERVED.canaryOf(REGION, canary), CANARY_LIST, Number(canary));
    }
  }

  #emit(subject: string, list: string, place: number): void {
    const shard = this.#shards[place % SHARDS] ?? [];
    const Keys = { subject: { S: subject }, list: { S: list } };
    shard.push({
      eventSourceARN: 'arn:aws:dynamodb:us-east-1:1:table/haverdict/stream/2026-11-30T10:00:00.000',
      dynamodb: { Keys, ApproximateCreationDateTime: this.#epochSeconds },
    });
    if (shard.length > 1) return;
    // Shards are asked at different moments.
    this.#clock.after(STREAM_MS + (place % SHARDS), () => {
      this.#count({ calls: 1 });
      void this.#writer({ Records: shard.splice(0) });
    });
  }

  #count(more: Partial<Counted>): void {
    const { calls, readUnits, writeUnits, egressBytes } = this.counted;
    this.counted = {
      calls: calls + (more.calls ?? 0),
      readUnits: readUnits + (more.readUnits ?? 0),
      writeUnits: writeUnits + (more.writeUnits ?? 0),
      egressBytes: egressBytes + (more.egressBytes ?? 0),
    };
  }

  #newId(): string {
    return (++this.#ids).toString(16).padStart(12, '0');
  }
}
