import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Limits the connections of a server: a new one beyond the limit replaces the one idle longest. */
export class ConnectionLimit {
  readonly #max: number;
  readonly #open = new Set<Socket>();
  /** Connections without a request, the one idle longest first. */
  readonly #idle = new Set<Socket>();

  constructor(server: Server, max: number) {
    this.#max = max;
    server.on('connection', (socket) => this.#take(socket));
    server.on('request', (request, response) => this.#serve(request, response));
  }

  get count(): number {
    return this.#open.size;
  }

  #take(socket: Socket): void {
    this.#open.add(socket);
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#idle.delete(socket);
    });
    if (this.#open.size <= this.#max) return;
    const [longest = socket] = this.#idle;
    this.#open.delete(longest); // it is closed a little later
    this.#idle.delete(longest);
    longest.destroy();
  }

  #serve({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#idle.delete(socket);
    response.once('close', () => {
      if (this.#open.has(socket)) this.#idle.add(socket);
    });
  }
}
