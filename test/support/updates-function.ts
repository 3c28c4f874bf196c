import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { DynamoDBRecord } from 'aws-lambda';
import type { Item, Key } from '../../blocklist/store.ts';
import { RESERVED } from '../../blocklist/table.ts';
import { createHandler } from '../../functions/check/handler.ts';
import { MirrorAnswers } from '../../functions/check/mirror.ts';
import { Updates } from '../../functions/check/updates.ts';
import { createWriter } from '../../functions/update-writer/handler.ts';
import { build } from '../../updates/builder.ts';
import { CANARY_LIST } from '../../updates/canary.ts';
import { readsOf } from '../../updates/change.ts';
import { functionEvent } from './function-event.ts';
import { MemoryLog } from './memory-log.ts';
import { MemoryMirrors } from './memory-mirrors.ts';
import { MemoryStore } from './memory-store.ts';

const REGION = 'eu-west-1';
/** The only one. */
export const LIST = 'manual';
/** How often canaries are written: proofs are younger than the shortest lifetime of a verdict. */
const BEAT_MS = 200;

/** The answer to a request for updates, instead of the right one. */
export type Instead = (response: ServerResponse, right: { readonly status: number; readonly body: string }) => void;

/** The real function, writer and mirror builder over a table in memory with a stream of one shard, behind a server that can misbehave. */
export class UpdatesFunction {
  readonly log = new MemoryLog();
  /** The label of the stream. */
  stream = 'first';
  #isWriterBroken = false;
  #insteadOf: (query: string) => Instead | undefined = () => undefined;
  readonly #store = new MemoryStore();
  readonly #mirrors = new MemoryMirrors();
  readonly #events: DynamoDBRecord[] = [];
  #ids = 0;
  readonly #table = { read: async (keys: readonly Key[]) => [...(await this.#store.lookup(keys)).items] };
  readonly #write = createWriter({
    ...{ region: REGION, log: this.log, clock: Date.now, newId: () => this.#newId(), table: this.#table },
    write() {},
    measure() {},
  });
  readonly #handler = createHandler({
    ...{ store: this.#store, log() {}, clock: Date.now, ttlSeconds: 60 },
    updates: new Updates({ log: this.log, canaries: { async write() {} }, waitMs: 200 }),
    mirror: new MirrorAnswers({
      mirrors: this.#mirrors,
      log: {
        tail: () => this.log.tail(),
        at: async (number) => this.log.records.find((record) => record.number === number),
      },
    }),
  });
  readonly #server = createServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const event = functionEvent(method, url, await text(request));
    const { 'if-none-match': known } = request.headers;
    const headersOf = { ...event.headers, ...(known !== undefined && { 'if-none-match': known }) };
    const answer = await this.#handler({ ...event, headers: headersOf });
    const { statusCode: status = 200, body = '', headers = {}, isBase64Encoded } = answer;
    const instead = url.startsWith('/v1/updates') ? this.#insteadOf(url.split('?')[1] ?? '') : undefined;
    if (instead !== undefined) return instead(response, { status, body });
    const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    response.writeHead(status, headers as Record<string, string>).end(bytes); // our handler sets texts only
  });
  readonly #beat = setInterval(() => void this.#renewProof(), BEAT_MS);
  #running = Promise.resolve();

  static async start(): Promise<UpdatesFunction> {
    const backend = new UpdatesFunction();
    backend.#server.listen(0, '127.0.0.1');
    await once(backend.#server, 'listening');
    await backend.build();
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // a listening TCP server has one
  }

  /** Answers requests for updates like this, by their query; rightly without anything. */
  answer(insteadOf: (query: string) => Instead | undefined = () => undefined): void {
    this.#insteadOf = insteadOf;
  }

  breakWriter(isBroken: boolean): void {
    this.#isWriterBroken = isBroken;
  }

  /** Puts an item into the table; its event is with the writer when this resolves, unless that is broken. */
  put(item: Item & Key): Promise<void> {
    this.#store.type(item);
    return this.#happened(item);
  }

  async remove(key: Key): Promise<void> {
    await this.#store.remove(key);
    await this.#happened(key);
  }

  /** The events that are on the stream are lost, as after a day. */
  loseEvents(): void {
    this.#events.splice(0);
  }

  /** What the builder does each minute. */
  async build(): Promise<void> {
    const { log } = this;
    await build({
      ...{ log, mirrors: this.#mirrors, clock: Date.now, wait: delay, version: 'v1', newId: () => this.#newId() },
      scan: () => this.#store.ofList(LIST),
      read: readsOf(this.#table, () => {}),
      write: (canaries) => this.#writeCanaries(canaries),
      lease: async () => true,
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#beat);
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #renewProof(): Promise<void> {
    const { beats = {} } = (await this.log.tail()) ?? {};
    await this.#writeCanaries(Object.keys(beats));
  }

  #writeCanaries(canaries: readonly string[]): Promise<void> {
    for (const canary of canaries) this.#events.push(this.#event(canaryKey(canary)));
    return this.#deliver();
  }

  #happened(key: Key): Promise<void> {
    this.#events.push(this.#event(key));
    return this.#deliver();
  }

  /** One batch at a time. */
  #deliver(): Promise<void> {
    this.#running = this.#running.then(async () => {
      if (this.#isWriterBroken) return;
      const Records = this.#events.splice(0, 500);
      if (Records.length > 0) await this.#write({ Records });
    });
    return this.#running;
  }

  #event({ subject, list }: Key): DynamoDBRecord {
    return {
      eventSourceARN: `arn:aws:dynamodb:${REGION}:123456789012:table/haverdict/stream/${this.stream}`,
      dynamodb: {
        Keys: { subject: { S: subject }, list: { S: list } },
        ApproximateCreationDateTime: Math.floor(Date.now() / 1000),
      },
    };
  }

  #newId(): string {
    return `i${++this.#ids}`;
  }
}

function canaryKey(canary: string): Key {
  return { subject: RESERVED.canaryOf(REGION, canary), list: CANARY_LIST };
}
