import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { TTL_SERVICE } from './expiry.ts';
import type { Written } from './write-tap.ts';

/** Lambda asks each shard four times a second. */
const POLL_MS = 250;
const SHARDS = 4;
/** Lambda's limit for an event. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;

export interface EventSourceOptions {
  readonly streamArn: string;
  readonly region: string;
  readonly viewType: string;
  readonly batchSize: number;
  /** The name of the partition key, by which items are on shards. */
  readonly partitionKey: string;
  invoke(event: object): Promise<unknown>;
}

/** What can go wrong on the way from a table to a function. Tests set it at any time. */
export interface Trouble {
  /** How long an event waits beside the poll, by shard. */
  delayMs(shard: number): number;
  /** How many times a batch comes. */
  deliveries(shard: number): number;
  isStalled(shard: number): boolean;
}

const NO_TROUBLE: Trouble = { delayMs: () => 0, deliveries: () => 1, isStalled: () => false };

/**
 * An event source mapping of a stream: each shard in its order, one batch at a time, at least once, again until the
 * function succeeds. Shards are not ordered among each other.
 */
export class EventSource {
  pollMs = POLL_MS;
  trouble: Trouble = NO_TROUBLE;
  readonly #options: EventSourceOptions;
  readonly #shards = Array.from({ length: SHARDS }, () => [] as object[]);
  readonly #closed = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #busy = new Set<number>();
  #sequence = 0;

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  /** Events that the function has not had yet. */
  get waiting(): number {
    return this.#shards.reduce((sum, events) => sum + events.length, 0);
  }

  /** The shard of an item. */
  shardOf(keys: Written['keys']): number {
    const value = JSON.stringify(keys[this.#options.partitionKey]);
    return (createHash('sha256').update(value).digest()[0] ?? 0) % SHARDS;
  }

  add(change: Written): void {
    const shard = this.shardOf(change.keys);
    this.#shards[shard]?.push(this.#record(change));
    this.#wake(shard);
  }

  /** Loses what waits, as a stream does after 24 hours. */
  trim(): void {
    for (const events of this.#shards) events.splice(0);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#running);
  }

  #wake(shard: number): void {
    if (this.#busy.has(shard) || this.#closed.signal.aborted) return;
    this.#busy.add(shard);
    const run = this.#deliver(shard)
      .catch(() => {}) // closed meanwhile
      .finally(() => {
        this.#busy.delete(shard);
        this.#running.delete(run);
      });
    this.#running.add(run);
  }

  async #deliver(shard: number): Promise<void> {
    const events = this.#shards[shard] ?? [];
    while (events.length > 0) {
      await this.#wait(this.pollMs + this.trouble.delayMs(shard));
      while (this.trouble.isStalled(shard)) await this.#wait(this.pollMs);
      const batch = this.#batchOf(events);
      if (batch.length === 0) continue; // trimmed meanwhile
      for (let left = this.trouble.deliveries(shard); left > 0; left--) await this.#untilTaken(batch);
      const taken = new Set(batch);
      events.splice(0, events.length, ...events.filter((event) => !taken.has(event)));
    }
  }

  async #untilTaken(batch: readonly object[]): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      try {
        await this.#options.invoke({ Records: batch });
        return;
      } catch {
        await this.#wait(retryMs); // the log of the function says why
      }
    }
  }

  #batchOf(events: readonly object[]): object[] {
    const batch: object[] = [];
    let bytes = 0;
    for (const event of events.slice(0, this.#options.batchSize)) {
      bytes += JSON.stringify(event).length;
      if (batch.length > 0 && bytes > MAX_EVENT_BYTES) break;
      batch.push(event);
    }
    return batch;
  }

  #record({ keys, before, after, atMs, isByTtl }: Written): object {
    const { region, streamArn, viewType } = this.#options;
    const eventName = before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY';
    const images = {
      ...(after !== undefined && viewType.includes('NEW') && { NewImage: after }),
      ...(before !== undefined && viewType.includes('OLD') && { OldImage: before }),
    };
    return {
      ...{ eventID: randomBytes(16).toString('hex'), eventName, eventVersion: '1.1', eventSource: 'aws:dynamodb' },
      ...{ awsRegion: region, eventSourceARN: streamArn },
      ...(isByTtl && { userIdentity: { type: 'Service', principalId: TTL_SERVICE } }),
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(atMs / 1000),
        Keys: keys,
        ...images,
        SequenceNumber: String(++this.#sequence).padStart(21, '0'),
        SizeBytes: JSON.stringify({ keys, ...images }).length,
        StreamViewType: viewType,
      },
    };
  }

  #wait(ms: number): Promise<unknown> {
    return delay(ms, undefined, { signal: this.#closed.signal });
  }
}
