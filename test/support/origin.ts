import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it reached an origin server, which answers with this in JSON. */
export interface Seen {
  /** Which of the servers it was. */
  readonly server: string;
  /** The request target, as it stood in the request line. */
  readonly target: string;
  /** A header that comes twice has both values, with a comma between. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Origin {
  readonly name: string;
  readonly port: number;
  /** How many requests reached it. */
  readonly requests: number;
  /** Their targets. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

/** A server behind HAProxy that tells what it was asked, and has headers of its own for entries to change. */
export async function startOrigin(name: string): Promise<Origin> {
  const targets: string[] = [];
  const server = createServer((request, response) => {
    const { url: target = '' } = request;
    targets.push(target);
    const seen: Seen = { server: name, target, headers: joined(request.headersDistinct) };
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-origin', name);
    response.end(JSON.stringify(seen));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  return {
    name,
    port,
    targets,
    get requests() {
      return targets.length;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function joined(headers: NodeJS.Dict<string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values = []]) => [name, values.join(', ')]));
}
