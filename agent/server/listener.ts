import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Clock } from '../decision/clock.ts';
import type { ConnectionEvents } from './connection.ts';
import type { Crowd, Member } from './crowd.ts';
import type { CurrentHandler } from './notify-handler.ts';
import { OutputBuffer } from './output.ts';
import { serveSocket } from './socket.ts';
import { clearStaleSocket, grantAccess, type SocketAccess, withClosedUmask } from './socket-file.ts';
import { Turns } from './turns.ts';

export type ListenTarget =
  | { readonly type: 'tcp'; readonly host: string; readonly port: number }
  | ({ readonly type: 'unix' } & SocketAccess);

/** A reload makes the new HAProxy open all its connections at once. */
const BACKLOG = 4096;

export interface ListenerEvents extends ConnectionEvents {
  /** HAProxy opened a connection. */
  accepted(): void;
}

/** One listening socket and the connections it took in. */
export class Listener {
  #target: ListenTarget;
  readonly #server: Server;
  readonly #served = new Set<Member>();
  #isPassed = false;

  constructor(target: ListenTarget, handler: CurrentHandler, clock: Clock, events: ListenerEvents, crowd: Crowd) {
    const output = new OutputBuffer();
    const turns = new Turns(clock);
    this.#target = target;
    // Paused until the connection is there to take what comes.
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
      const gone = () => this.#served.delete(served);
      const served = serveSocket(socket, { handler, clock, events, output, crowd, turns, gone });
      this.#served.add(served);
      events.accepted();
    });
  }

  /** Where it listens, as the configuration writes it, with the port that was really taken. */
  get address(): string {
    if (this.#target.type === 'unix') return `unix:${this.#target.path}`;
    const { address, port, family } = this.#server.address() as AddressInfo; // a listening TCP server has one
    return family === 'IPv6' ? `tcp://[${address}]:${port}` : `tcp://${address}:${port}`;
  }

  /**
   * Starts listening; rejects with an error that names the address and what is wrong with it. `fd` is a descriptor that
   * listens there already: whoever opened it decided who may use it.
   */
  async open(fd?: number): Promise<void> {
    const target = this.#target;
    this.#isPassed = fd !== undefined;
    if (fd !== undefined) return this.#listen(() => this.#server.listen({ fd, backlog: BACKLOG }));
    if (target.type === 'tcp') return this.#listen(() => this.#server.listen({ ...target, backlog: BACKLOG }));
    await clearStaleSocket(target);
    await this.#listen(() => withClosedUmask(() => this.#server.listen({ path: target.path, backlog: BACKLOG })));
    grantAccess(target);
  }

  /** How many connections are open now. */
  get connections(): number {
    return this.#served.size;
  }

  /** Gives a socket that stays where it is the access that the configuration now wants. */
  grant(target: ListenTarget): void {
    if (target.type === 'unix' && !this.#isPassed) grantAccess(target);
    this.#target = target;
  }

  /** Stops taking connections and lets those there are finish; resolves when the last is gone. */
  drain(): Promise<void> {
    // The listener goes first: HAProxy 2.6 to 3.0 would reconnect in a tight loop to one that still accepts.
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { connection } of this.#served) connection.drain();
    return closed;
  }

  /** Drops whatever is left. */
  destroy(): void {
    this.#server.close();
    for (const served of this.#served) served.destroy();
  }

  #listen(listen: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(new Error(`cannot listen on ${describe(this.#target)}: ${error.message}`, { cause: error })),
      );
      this.#server.once('listening', resolve);
      listen();
    });
  }
}

function describe(target: ListenTarget): string {
  return target.type === 'unix' ? target.path : `${target.host}:${target.port}`;
}
