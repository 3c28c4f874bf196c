import { createHash } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import type { LogAnswer, LogPlace } from '../../../agent/backend/backend.ts';
import { Poller } from '../../../agent/updates/poller.ts';
import type { Item, Key } from '../../../blocklist/store.ts';
import { RESERVED, SHARDS } from '../../../blocklist/table.ts';
import type { Work } from '../../../cli/cost/updates.ts';
import { ENDPOINTS } from '../../../contract/check.ts';
import { UpdatesPage, updatesQuery } from '../../../contract/updates.ts';
import { createHandler } from '../../../functions/check/handler.ts';
import { Updates } from '../../../functions/check/updates.ts';
import { createWriter } from '../../../functions/update-writer/handler.ts';
import { CANARY_LIST } from '../../../updates/canary.ts';
import type { Read } from '../../../updates/page.ts';
import { type LogRecord, NO_BASE, recordAfter } from '../../../updates/record.ts';
import { findCanaries, isTrialDue, type TrialDeps, tryCanaries } from '../../../updates/trial.ts';
import { HandClock } from '../../support/clock.ts';
import { functionEvent } from '../../support/function-event.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { MemoryStore } from '../../support/memory-store.ts';

export type Counted = Omit<Work, 'functionMs'>;

const REGION = 'us-east-1';
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

/** Agents that poll, the function, the writer and the trial, all real, on a clock in hand: counts what they use. */
export class UpdatesReplay {
  counted: Counted = nothing();
  readonly #clock = new HandClock();
  readonly #log = new CountedLog((more) => this.#count(more));
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

  /** Agents begin to poll, and the rule calls the trial each minute. */
  start(agents: number, pollMs: number): void {
    this.#eachMinute();
    const handler = createHandler({
      ...{ store: new MemoryStore(), log() {}, clock: () => this.#clock.epochMs(), ttlSeconds: 300 },
      updates: new Updates({
        log: this.#log,
        canaries: {
          write: async (canaries, _, beforeMs) => {
            this.#renewals++;
            this.#writeCanaries(canaries, beforeMs);
          },
        },
        waitMs: pollMs,
      }),
    });
    const updates = async (place: LogPlace | undefined): Promise<LogAnswer> => {
      const query = updatesQuery({ after: place?.cursor, lists: [LIST] });
      const {
        statusCode,
        headers,
        body = '',
      } = await handler(functionEvent('GET', `${ENDPOINTS.updates.path}?${query}`));
      const lines = Object.entries(headers ?? {}).map(([name, value]) => `\r\n${name}: ${value}`);
      this.#count({ calls: 1, egressBytes: `${AWS_HEADERS}${lines.join('')}\r\n\r\n${body}`.length });
      const answer = statusCode === 410 ? 'gone' : UpdatesPage.parse(JSON.parse(body));
      return { url: 'https://a.example', isEnd: place === undefined, answer };
    };
    const events = { followed() {}, failed() {}, none() {}, lost() {}, lagging() {} };
    const now = () => ({ bootMs: this.#clock.nowMs(), epochMs: this.#clock.epochMs() });
    const source = { lists: [LIST], pollMs, updates };
    for (let left = agents; left > 0; left--)
      this.#pollers.push(
        new Poller(
          () => source,
          async () => {},
          events,
          this.#clock,
          now,
          () => left / agents,
        ),
      );
  }

  /** Begins a base. */
  async begin(): Promise<void> {
    let isDone = false;
    void this.#tryCanaries().finally(() => {
      isDone = true;
    });
    while (!isDone) await this.pass(50);
  }

  #eachMinute(): void {
    void this.#tryCanaries();
    this.#clock.after(60_000, () => this.#eachMinute());
  }

  /** What the builder does of updates without a mirror: the first trial begins a base. */
  async #tryCanaries(): Promise<void> {
    this.#count({ calls: 1 });
    const deps: TrialDeps = {
      log: this.#log,
      write: async (canaries) => this.#writeCanaries(canaries, Number.POSITIVE_INFINITY),
      newId: () => this.#newId(),
      clock: () => this.#clock.epochMs(),
      wait: (ms) => new Promise<void>((resolve) => void this.#clock.after(ms, resolve)),
    };
    const tail = await this.#log.tail();
    if (tail !== undefined && tail.base !== NO_BASE) {
      if (isTrialDue(tail, deps.clock())) await tryCanaries(deps);
      return;
    }
    const beats = await findCanaries(deps);
    const end = await this.#log.tail();
    if (beats !== undefined && end !== undefined)
      await this.#log.put(recordAfter(end, { base: deps.newId(), beats, triedMs: deps.clock() }, deps));
  }

  /** So many entries in one moment, as of a feed. */
  write(count: number): void {
    for (let left = count; left > 0; left--) {
      const [a = 0, b = 0, c = 0, d = 0] = createHash('sha256').update(this.#newId()).digest();
      const subject = `ip:${a}.${b}.${c}.${d}`;
      const reason = `Spamhaus DROP SBL${a * b + c * d}`;
      this.#items.set(subject, {
        subject,
        list: LIST,
        action: 'deny',
        reason,
        expiresAt: this.#epochSeconds + 172_800,
      });
      this.#emit(subject, LIST, left);
    }
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
    this.counted = nothing();
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

/** A log that counts the units of what it is asked. */
class CountedLog extends MemoryLog {
  readonly #count: (more: Partial<Counted>) => void;

  constructor(count: (more: Partial<Counted>) => void) {
    super();
    this.#count = count;
  }

  override tail(): Promise<LogRecord | undefined> {
    this.#count({ readUnits: 1 });
    return super.tail();
  }

  override async from(number: number, options?: { readonly isConsistent: boolean }): Promise<Read> {
    const read = await super.from(number);
    const units = Math.ceil(read.records.reduce((sum, record) => sum + sizeOf(record), 1) / 4096);
    this.#count({ readUnits: options?.isConsistent ? units : units / 2 });
    return read;
  }

  override put(record: LogRecord): Promise<boolean> {
    this.#count({ writeUnits: Math.ceil(sizeOf(record) / 1024) });
    return super.put(record);
  }
}

function nothing(): Counted {
  return { calls: 0, readUnits: 0, writeUnits: 0, egressBytes: 0 };
}

function sizeOf({ packed, ...rest }: LogRecord): number {
  return JSON.stringify(rest).length + packed.length;
}
