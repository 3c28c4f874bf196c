import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { isAllowedHost } from '../../agent/admin/allowed-host.ts';
import { ConnectionLimit } from '../../agent/admin/connection-limit.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { withStreams } from '../output/streams.ts';
import { Admission } from './admission.ts';
import { argumentsOf, type Given, parseOrder } from './order.ts';
import { MAX_FILE_BYTES, MAX_LINE_BYTES, OrderBody } from './order-body.ts';
import { type Advance, Transcript } from './transcript.ts';

const HOST = '127.0.0.1';
/** One browser opens six connections. */
const MAX_CONNECTIONS = 32;
const MAX_RUNS = 8;
const MAX_HEADER_BYTES = 8192;
const HEADERS_TIMEOUT_MS = 5_000;
/** For a file: it is read as fast as its lines are. */
const REQUEST_TIMEOUT_MS = 3_600_000;

/** One JSON object a line. */
const LINES = 'application/x-ndjson';

const PAGE = new URL('page/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const ALWAYS = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ConsoleParts {
  /** Runs the program with these arguments; resolves with the exit code. */
  run(args: readonly string[], complain: (text: string) => void): Promise<number>;
  readonly given: Given;
  /** What the page says about where it is, such as the table. */
  readonly about: object;
}

/** The server of the local page: its files, and the commands that it orders. */
export class ConsoleServer {
  readonly #parts: ConsoleParts;
  readonly #server: Server;
  readonly #files: ReadonlyMap<string, Answer>;
  readonly #served = new Set<Promise<void>>();
  #runs = 0;
  #admission = new Admission(0);

  constructor(parts: ConsoleParts) {
    this.#parts = parts;
    this.#files = pageFiles(parts.about);
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
      },
      (request, response) => {
        const served = this.#serve(request, response).finally(() => this.#served.delete(served));
        this.#served.add(served);
      },
    );
    new ConnectionLimit(this.#server, MAX_CONNECTIONS);
  }

  /** Listens on loopback, and resolves with the link for the browser. */
  async open(port: number): Promise<string> {
    const listening = new Promise<void>((resolve, reject) => {
      this.#server.once('listening', resolve).once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? `port ${port} is used by another program` : error.message;
        reject(new CliError(EXIT.failed, `cannot listen on ${HOST}: ${why}; --port names another`, { cause: error }));
      });
    });
    this.#server.listen(port, HOST);
    await listening;
    const { port: own } = this.#server.address() as AddressInfo; // a listening TCP server has one
    this.#admission = new Admission(own);
    return `http://${HOST}:${own}/?token=${this.#admission.token}`;
  }

  /** Takes no more orders, lets those under way end, and closes everything. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.allSettled(this.#served);
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {
      status,
      type = 'text/plain; charset=utf-8',
      body = '',
      headers,
    } = await this.#answer(request, response).catch(() => text(500, 'internal error'));
    if (!response.headersSent)
      response.writeHead(status, {
        ...ALWAYS,
        ...headers,
        'content-type': type,
        'content-length': Buffer.byteLength(body),
      });
    // Of what is refused the body is not read to its end.
    response.once('finish', () => {
      if (!request.complete) request.destroy();
    });
    await finished(response.end(body)).catch(() => {}); // the browser may be gone
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const { method = '', url = '/', headers, headersDistinct, socket } = request;
    const hosts = headersDistinct.host ?? [];
    if (hosts.length !== 1 || !hosts.every((host) => isAllowedHost(host, socket.localAddress, [])))
      return text(421, 'this is the console of haverdict: ask for it as localhost or 127.0.0.1');
    const [path = '', query = ''] = url.split('?', 2);
    if (path === '/run')
      return method === 'POST' ? this.#order(request, response) : text(405, 'POST only', { allow: 'POST' });
    if (method !== 'GET') return text(405, 'GET only', { allow: 'GET' });
    const token = path === '/' ? new URLSearchParams(query).get('token') : null;
    const pass = token === null ? undefined : this.#admission.exchange(token);
    if (pass !== undefined) return { status: 303, headers: { location: `/#${pass.key}`, 'set-cookie': pass.cookie } };
    if (!this.#admission.hasCookie(headers.cookie))
      return text(
        403,
        'open the link that haverdict console printed: it works once, in one browser; start it again for another',
      );
    if (token !== null) return { status: 303, headers: { location: '/' } }; // the same link again, in the same browser
    return this.#files.get(path) ?? text(404, 'there is nothing here');
  }

  /** Runs what the page orders. Only a script of the page itself can send such a request. */
  async #order(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const { host = '', origin, cookie, ...headers } = request.headers;
    const isOwnPage =
      origin === `http://${host}` &&
      (headers['sec-fetch-site'] ?? 'same-origin') === 'same-origin' &&
      headers['content-type'] === 'application/octet-stream';
    if (!isOwnPage) return text(403, 'only the page of the console may ask for this');
    if (!this.#admission.hasCookie(cookie) || !this.#admission.hasKey(headers['x-console-key']))
      return text(403, 'this console was started again: open the link that it printed');
    if (this.#runs >= MAX_RUNS) return text(503, 'the console is busy: try again');
    this.#runs++;
    return this.#run(new OrderBody(request), (advance) => tell(advance, request, response)).finally(() => this.#runs--);
  }

  async #run(body: OrderBody, tellAdvance: (advance: Advance) => void): Promise<Answer> {
    const line = await body.line().catch(() => '');
    if (line === undefined) return text(413, `this is more than the ${MAX_LINE_BYTES >> 10} KiB of one order`);
    const order = parseOrder(line);
    if (order === undefined) return text(400, 'this is not an order that the page may give');
    const transcript = new Transcript({ name: order.file ?? 'the page', bytes: body.bytes() }, tellAdvance);
    const args = argumentsOf(order, this.#parts.given);
    const code = await withStreams(transcript, () =>
      this.#parts.run(args, (complaint) => transcript.complain(complaint)),
    );
    await body.drain();
    return { status: 200, type: LINES, body: JSON.stringify({ code, ...transcript.printed }) };
  }
}

/**
 * A line of the answer ahead of its last one, which has the result. A browser that still sends a file does not read yet; what is
 * written for one that is gone is dropped.
 */
function tell(advance: Advance, request: IncomingMessage, response: ServerResponse): void {
  if (!request.complete) return;
  if (!response.headersSent) response.writeHead(200, { ...ALWAYS, 'content-type': LINES });
  response.write(`${JSON.stringify(advance)}\n`);
}

/** The files of the page, and what it asks for first, by path. */
function pageFiles(about: object): ReadonlyMap<string, Answer> {
  const files = readdirSync(PAGE).map((name): [string, Answer] => {
    const body = readFileSync(fileURLToPath(new URL(name, PAGE)), 'utf8');
    return [name === 'index.html' ? '/' : `/${name}`, { status: 200, type: TYPES[extname(name)] ?? '', body }];
  });
  const told = {
    status: 200,
    type: 'application/json',
    body: JSON.stringify({ ...about, maxFileBytes: MAX_FILE_BYTES }),
  };
  return new Map([...files, ['/about.json', told]]);
}

function text(status: number, line: string, headers: Answer['headers'] = {}): Answer {
  return { status, body: `${line}\n`, headers };
}
