import { once } from 'node:events';
import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { TTL_SERVICE } from './expiry.ts';
import { type Item, itemsWritten, type WrittenKey } from './written-items.ts';

/** A change of an item, as a stream has it. */
export interface Written {
  readonly table: string;
  readonly keys: Item;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly atMs: number;
  /** Did the service that deletes expired items write? */
  readonly isByTtl: boolean;
}

export interface WriteTapOptions {
  /** The database behind it. */
  readonly endpoint: string;
  /** The names of the key attributes of the tables that have a stream. */
  readonly keysOf: ReadonlyMap<string, readonly string[]>;
  /** Called before the writer has its answer, in the order in which an item was written. */
  written(change: Written): void;
}

export interface WriteTap {
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * A proxy before a database without streams. It looks at each item before and after a write, so that it tells what changed
 * and nothing else: a write that was refused, left out of a batch, or changed nothing has no event, as in DynamoDB.
 */
export async function startWriteTap(options: WriteTapOptions): Promise<WriteTap> {
  const agent = new Agent({ keepAlive: true });
  const turns = new Map<string, Promise<void>>();
  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const served = serve(request, response, options, agent, turns).finally(() => underWay.delete(served));
    underWay.add(served);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a listening TCP server has one
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await Promise.all(underWay); // the database throws if it is closed during a write
      agent.destroy();
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { endpoint, keysOf, written }: WriteTapOptions,
  agent: Agent,
  turns: Map<string, Promise<void>>,
): Promise<void> {
  try {
    const { method = 'POST', url = '/', headers } = request;
    const sent = { method, url, headers, body: await buffer(request) };
    const keys = itemsWritten(headers['x-amz-target'], sent.body, keysOf);
    const isByTtl = String(headers['user-agent']).includes(TTL_SERVICE);
    const release = await turnFor(keys, turns);
    try {
      const before = await read(keys, endpoint, agent);
      const answer = await send(sent, endpoint, agent);
      const after = await read(keys, endpoint, agent);
      for (const { table, name, keys: of } of keys)
        if (sorted(before.get(name)) !== sorted(after.get(name)))
          written({ table, keys: of, before: before.get(name), after: after.get(name), atMs: Date.now(), isByTtl });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } finally {
      release();
    }
  } catch {
    response.destroy(); // the caller or the database went away
  }
}

/** Writes of one item take turns: which was first would not be known otherwise. */
async function turnFor(keys: readonly WrittenKey[], turns: Map<string, Promise<void>>): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = keys.map(({ name }) => turns.get(name));
  for (const { name } of keys) turns.set(name, promise);
  await Promise.all(before);
  return () => {
    for (const { name } of keys) if (turns.get(name) === promise) turns.delete(name);
    resolve();
  };
}

/** The items there, by the name of their keys. */
async function read(keys: readonly WrittenKey[], endpoint: string, agent: Agent): Promise<ReadonlyMap<string, Item>> {
  const found = new Map<string, Item>();
  for (const [table, asked] of Map.groupBy(keys, (key) => key.table)) {
    const RequestItems = { [table]: { Keys: asked.map((key) => key.keys), ConsistentRead: true } };
    const body = Buffer.from(JSON.stringify({ RequestItems }));
    const { body: answer } = await send({ method: 'POST', url: '/', headers: READ_HEADERS, body }, endpoint, agent);
    const { Responses } = JSON.parse(answer.toString('utf8')) as { Responses?: Record<string, Item[]> }; // or an error
    for (const item of Responses?.[table] ?? []) {
      const own = asked.find(({ keys: of }) =>
        Object.keys(of).every((part) => sorted(of[part]) === sorted(item[part])),
      );
      if (own !== undefined) found.set(own.name, item);
    }
  }
  return found;
}

/** The database takes any signature, but wants one. */
const READ_HEADERS = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': 'DynamoDB_20120810.BatchGetItem',
  'x-amz-date': '20260101T000000Z',
  authorization:
    'AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
};

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function send({ method, url, headers, body }: Sent, endpoint: string, agent: Agent) {
  const passed = forward(endpoint + url, { method, headers: { ...headers, 'content-length': body.length }, agent });
  passed.end(body);
  const [answer] = (await once(passed, 'response')) as [IncomingMessage]; // the event has it
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}

/** Equal items are equal texts, in whatever order their attributes come. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_name, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
