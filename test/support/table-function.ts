import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { EntryStore, Item } from '../../blocklist/store.ts';
import { createHandler } from '../../functions/check/handler.ts';
import { functionEvent } from './function-event.ts';
import { MemoryStore } from './memory-store.ts';

/** What the function logged: the message, and what stands beside it. */
export interface FunctionLine {
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The real function. */
export interface StoreFunction {
  readonly url: string;
  readonly lines: readonly FunctionLine[];
  /** The bodies of all that it was asked. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

/** The real function, over a table in memory. */
export interface TableFunction extends StoreFunction {
  /** Puts an item into the table, whatever it is. */
  type(item: Item): void;
}

export async function startTableFunction(ttlSeconds = 60): Promise<TableFunction> {
  const store = new MemoryStore();
  return {
    ...(await startStoreFunction(store, ttlSeconds)),
    type: (item) => store.type({ list: 'manual', ...item }),
  };
}

export async function startStoreFunction(store: EntryStore, ttlSeconds = 60): Promise<StoreFunction> {
  const lines: FunctionLine[] = [];
  const bodies: string[] = [];
  const handler = createHandler({
    store,
    log: (_level, message, fields) => lines.push({ message, ...fields }),
    clock: Date.now,
    ttlSeconds,
  });
  const server = createServer(async (request, response) => {
    const asked = await text(request);
    bodies.push(asked);
    const event = functionEvent(request.method ?? '', request.url ?? '', asked);
    const { statusCode = 200, headers = {}, body } = await handler(event);
    response.writeHead(statusCode, headers as Record<string, string>).end(body); // our handler sets texts only
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a listening TCP server has one
    lines,
    bodies,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
