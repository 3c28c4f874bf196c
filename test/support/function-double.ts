import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the function can misbehave; `well` hands the request to the real one. */
export const MISBEHAVIOURS = {
  status500: (_request, response) => void response.writeHead(500).end('{"error":"internal error"}'),
  garbage: (_request, response) => void response.writeHead(200).end('<html>not what you asked for</html>'),
  tooSlow: (_request, response) => void setTimeout(() => response.end('{}'), 3_000).unref(),
} as const satisfies Record<string, (request: IncomingMessage, response: ServerResponse) => void>;
export type Misbehaviour = keyof typeof MISBEHAVIOURS;

/** A server in front of the real function that can misbehave on demand, as the real one cannot. */
export class FunctionDouble {
  calls = 0;
  behaviour: Misbehaviour | 'well' = 'well';
  readonly #realUrl: string;
  readonly #server: Server;
  #port = 0;

  constructor(realUrl: string) {
    this.#realUrl = realUrl;
    this.#server = createServer((request, response) => {
      this.calls++;
      if (this.behaviour === 'well') this.#passOn(request, response);
      else MISBEHAVIOURS[this.behaviour](request, response);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before once it had one. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // a listening TCP server has one
  }

  /** Refuses connections from now on. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #passOn(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url } = request;
    const passed = forward(this.#realUrl + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  }
}
