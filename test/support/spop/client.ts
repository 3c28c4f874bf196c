import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ParsedFrame, parseBody } from './naive-codec.ts';

/** HAProxy's end of a real socket. */
export class Client {
  readonly socket: Socket;
  readonly frames: ParsedFrame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #waiting: { count: number; resolve: () => void } | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  static async connect(options: NetConnectOpts): Promise<Client> {
    const socket = connect(options);
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** Resolves once so many frames have come in all. */
  async received(count: number): Promise<ParsedFrame[]> {
    if (this.frames.length < count) await new Promise<void>((resolve) => (this.#waiting = { count, resolve }));
    return this.frames;
  }

  closed(): Promise<unknown> {
    return this.socket.closed ? Promise.resolve() : once(this.socket, 'close');
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readUInt32BE()) {
      const end = 4 + this.#rest.readUInt32BE();
      this.frames.push(parseBody(this.#rest.subarray(4, end)));
      this.#rest = this.#rest.subarray(end);
    }
    if (this.#waiting !== undefined && this.frames.length >= this.#waiting.count) this.#waiting.resolve();
  }
}
