import { type AddressInfo, createServer, type Server } from 'node:net';
import type { ConnectionEvents } from '../connection-events.ts';
import type { CurrentHandler } from '../notify-handler.ts';
import { OutputBuffer } from '../output-buffer.ts';
import type { Clock } from '../transport.ts';
import type { ConnectionLimiter, TrackedConnection } from './connection-limiter.ts';
import type { ListenAddress } from './listen-address.ts';
import { ListenError } from './listen-error.ts';
import { ReadScheduler } from './read-scheduler.ts';
import { serveSocket } from './serve-socket.ts';
import { clearStaleSocket, grantAccess, withClosedUmask } from './socket-file.ts';
import { TurnWrites } from './turn-writes.ts';

/** A reload makes the new HAProxy open all its connections at once. */
const BACKLOG = 4096;

export interface ListenerEvents extends ConnectionEvents {
  /** HAProxy opened a connection. */
  accepted(): void;
}

/** A listening socket and its connections. */
export class Listener {
  #target: ListenAddress;
  readonly #server: Server;
  readonly #served = new Set<TrackedConnection>();
  readonly #writes = new TurnWrites();
  #isPassed = false;

  constructor(
    target: ListenAddress,
    handler: CurrentHandler,
    clock: Clock,
    events: ListenerEvents,
    limiter: ConnectionLimiter,
  ) {
    const output = new OutputBuffer();
    const reads = new ReadScheduler(clock);
    this.#target = target;
    // Paused until the connection handles what is received.
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      const closed = () => this.#served.delete(served);
      const served = serveSocket(socket, {
        handler,
        clock,
        events,
        output,
        limiter,
        reads,
        writes: this.#writes,
        closed,
      });
      this.#served.add(served);
      events.accepted();
    });
  }

  /** The address in the syntax of the configuration, with the actual port. */
  get address(): string {
    if (this.#target.type === 'unix') return `unix:${this.#target.path}`;
    const { address, port, family } = this.#server.address() as AddressInfo; // a listening TCP server has one
    return family === 'IPv6' ? `tcp://[${address}]:${port}` : `tcp://${address}:${port}`;
  }

  /**
   * Starts listening; rejects with an error that names the address. `fd` is a descriptor that listens there already; its
   * access rights stay as they are.
   */
  async open(fd?: number): Promise<void> {
    const target = this.#target;
    this.#isPassed = fd !== undefined;
    if (fd !== undefined) return this.#listen(() => this.#server.listen({ fd, backlog: BACKLOG }));
    if (target.type === 'tcp') return this.#listen(() => this.#server.listen({ ...target, backlog: BACKLOG }));
    await clearStaleSocket(target);
    await this.#listen(() => withClosedUmask(() => this.#server.listen({ path: target.path, backlog: BACKLOG })));
    try {
      grantAccess(target);
    } catch (error) {
      this.destroy(); // nobody else has it, to close it
      throw error;
    }
  }

  get connections(): number {
    return this.#served.size;
  }

  /** Applies changed access rights to the listening socket. */
  grant(target: ListenAddress): void {
    if (target.type === 'unix' && !this.#isPassed) grantAccess(target);
    this.#target = target;
  }

  /** Stops accepting and drains the connections; resolves when the last is closed. */
  drain(): Promise<void> {
    // The listening socket is closed first, else HAProxy 2.6 to 3.0 would reconnect in a tight loop.
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { connection } of this.#served) connection.drain();
    return closed;
  }

  /** Closes everything at once. */
  destroy(): void {
    this.#server.close();
    this.#writes.flush();
    for (const served of this.#served) served.destroy();
  }

  #listen(listen: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new ListenError(error.code ?? 'EIO', `cannot listen on ${describe(this.#target)}: ${error.message}`, error),
        ),
      );
      this.#server.once('listening', resolve);
      listen();
    });
  }
}

function describe(target: ListenAddress): string {
  return target.type === 'unix' ? target.path : `${target.host}:${target.port}`;
}
