import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatListenAddress, type ListenAddress } from '../../config/listen-address.ts';
import { printable } from '../../contract/printable.ts';
import { clearStaleSocket, grantAccess, withClosedUmask } from '../../spop/server/socket-file.ts';
import type { Clock } from '../decision/clock.ts';
import type { AgentState, Hits } from '../state/state.ts';
import { isAllowedHost } from './allowed-host.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { answer, type HttpAnswer, text } from './endpoints.ts';
import { Snapshots, sharedForASecond } from './snapshots.ts';

/** Room for several people, whose browsers open six connections each, and for Prometheus. */
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8192;
const REQUEST_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 10_000;

const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

export interface AdminParts {
  /** Takes a snapshot; called at most once a second. */
  state(): Promise<AgentState>;
  /** How often entries denied a request; called at most once a second. */
  hits(): Promise<Hits>;
  readonly clock: Clock;
  /** Host names that requests may use, beside loopback names and the local address. */
  readonly hosts?: readonly string[] | undefined;
}

/** The read-only HTTP server of the running agent: status page, metrics and health. */
export class AdminServer {
  readonly #target: ListenAddress;
  readonly #snapshots: Snapshots;
  readonly #hits: () => Promise<Hits>;
  readonly #server: Server;
  readonly #hosts: readonly string[];
  readonly #connections: ConnectionLimit;
  #isStopping = false;

  constructor(target: ListenAddress, { state, hits, clock, hosts = [] }: AdminParts) {
    this.#target = target;
    this.#hosts = hosts;
    this.#hits = sharedForASecond(hits, clock);
    this.#snapshots = new Snapshots(state, clock);
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: IDLE_TIMEOUT_MS,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#connections = new ConnectionLimit(this.#server, MAX_CONNECTIONS);
    this.#server.timeout = IDLE_TIMEOUT_MS;
  }

  /** The address it listens on, with the actual port. */
  get address(): string {
    if (this.#target.type === 'unix') return formatListenAddress(this.#target);
    return formatListenAddress({ ...this.#target, port: this.#bound.port });
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#connections.count;
  }

  /** Starts listening; rejects with an error that names the address and the problem. */
  async open(): Promise<void> {
    const target = this.#target;
    if (target.type === 'tcp') {
      await this.#listen(() => this.#server.listen(target));
      return;
    }
    await clearStaleSocket(target);
    await this.#listen(() => withClosedUmask(() => this.#server.listen({ path: target.path })));
    grantAccess(target);
  }

  /** Reports not ready from now on; everything else is still served. */
  stopping(): void {
    this.#isStopping = true;
  }

  /** Closes everything. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body, contentPolicy } = await this.#answer(request);
    response.writeHead(status, {
      ...ALWAYS,
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'content-security-policy': contentPolicy ?? "default-src 'none'; frame-ancestors 'none'",
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    // A request body is not expected, and not read to its end.
    response.once('finish', () => {
      if (!request.complete) request.destroy();
    });
    response.end(body); // Node omits it for HEAD
  }

  async #answer({ method, url = '/', headers, headersDistinct, socket }: IncomingMessage): Promise<HttpAnswer> {
    // Requests without a Host are HTTP/1.0, which no browser sends; of several, each must be allowed.
    const foreign = headersDistinct.host?.find((host) => !isAllowedHost(host, socket.localAddress, this.#hosts));
    if (foreign !== undefined)
      return text(
        421,
        `this is not ${printable(foreign)}: ask for localhost, for the address, or for one of admin.hosts`,
      );
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'read-only: use GET or HEAD');
    try {
      return await answer({
        path: url.replace(/\?.*$/s, ''),
        accept: headers.accept ?? '',
        isStopping: this.#isStopping,
        snapshot: this.#snapshots.latest,
        hits: this.#hits,
      });
    } catch {
      return text(500, 'cannot read the state of the agent');
    }
  }

  get #bound(): AddressInfo {
    return this.#server.address() as AddressInfo; // a listening TCP server has one
  }

  #listen(listen: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        const where = formatListenAddress(this.#target);
        reject(new Error(`cannot listen on ${where} for admin: ${error.message}`, { cause: error }));
      });
      this.#server.once('listening', resolve);
      listen();
    });
  }
}
