import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createHandler } from '../../functions/check/handler.ts';
import { MirrorAnswers } from '../../functions/check/mirror.ts';
import { Updates } from '../../functions/check/updates.ts';
import { KEYS, StreamWorld } from '../updates/stream-world.ts';
import { functionEvent } from './function-event.ts';
import { MemoryStore } from './memory-store.ts';

/** What a backend was sent, and the right answer to it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was sent; the test knows which fields it has
  readonly json: any;
  readonly right: Answered;
  /** The right answer to something else. */
  ask(method: string, path: string, body: string): Promise<Answered>;
}

export interface Answered {
  readonly status: number;
  readonly contentType: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the handler answered
  readonly json: any;
}

/** What to answer instead; undefined is the right answer. */
export type Break = (asked: Asked) => Partial<Answered> | undefined | Promise<Partial<Answered> | undefined>;

export const LISTED = 'ip:203.0.113.7';

/** The real handler over a table with one entry, in front of it a server that changes what the test says. */
export async function brokenBackend(t: TestContext, change: Break): Promise<string> {
  const store = new MemoryStore();
  store.type({ subject: 'ip:203.0.113.0/29', list: 'manual', action: 'deny', reason: 'abuse' });
  const world = new StreamWorld();
  world.nowMs = Date.now();
  for (const key of KEYS) world.write(key, false);
  await world.build();
  const { log, mirrors } = world;
  const at = async (number: number) => log.records.find((record) => record.number === number);
  const handler = createHandler({
    ...{ store, log: () => {}, clock: () => world.nowMs, ttlSeconds: 60 },
    updates: new Updates({ log, canaries: { async write() {} }, waitMs: 1000 }),
    mirror: new MirrorAnswers({ log: { tail: () => log.tail(), at }, mirrors }),
  });
  const ask = async (method: string, path: string, body: string): Promise<Answered> => {
    const answer = await handler(functionEvent(method, path, body));
    const contentType = String(answer.headers?.['content-type']);
    const { statusCode = 200, body: sent = '', isBase64Encoded } = answer;
    const json = isBase64Encoded ? gunzipSync(Buffer.from(sent, 'base64')).toString() : JSON.parse(sent);
    return { status: statusCode, contentType, json };
  };
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '' } = request;
    const body = await text(request);
    const right = await ask(method, path, body);
    const answer = { ...right, ...(await change({ method, path, body, json: parsed(body), right, ask })) };
    response.writeHead(answer.status, { 'content-type': answer.contentType });
    response.end(typeof answer.json === 'string' ? answer.json : JSON.stringify(answer.json)); // a segment is text
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close(() => {}).closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a listening TCP server has one
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
