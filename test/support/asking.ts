import { setImmediate as turn } from 'node:timers/promises';
import { Client } from './spop/client.ts';
import { hello, notify, type Pair, parseActions, type Value } from './spop/naive-codec.ts';

/** What an ACK tells, by the names of the variables. */
export type Told = Readonly<Record<string, string | number | boolean>>;

/** HAProxy's end of a connection to an agent, with questions and their answers instead of frames. */
export class Asking {
  readonly #client: Client;
  #streams = 0;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async at(path: string): Promise<Asking> {
    const client = await Client.connect({ path });
    client.socket.write(hello());
    await client.received(1);
    return new Asking(client);
  }

  /** What was told so far, in the order in which it came. */
  get told(): readonly Told[] {
    return this.#client.frames.slice(1).map(({ payload }) => toldBy(payload));
  }

  /** The streams in the order in which they were answered. */
  get order(): readonly number[] {
    return this.#client.frames.slice(1).map(({ streamId }) => Number(streamId));
  }

  /** Sends a message without waiting for its answer; says which stream it was. */
  send(message: string, args: readonly Pair[]): number {
    this.#client.socket.write(notify(++this.#streams, 1, [message, ...args]));
    return this.#streams;
  }

  async ask(message: string, args: readonly Pair[]): Promise<Told> {
    return this.answer(this.send(message, args));
  }

  async answer(stream: number): Promise<Told> {
    for (;;) {
      const found = this.#client.frames.slice(1).find((frame) => Number(frame.streamId) === stream);
      if (found !== undefined) return toldBy(found.payload);
      if (this.#client.socket.destroyed) throw new Error(`the connection closed before an answer to ${stream}`);
      await turn();
    }
  }

  close(): void {
    this.#client.socket.destroy();
  }
}

function toldBy(payload: Uint8Array): Told {
  return Object.fromEntries(
    parseActions(payload).map((action) => [action.name, 'value' in action ? plain(action.value) : '']),
  );
}

function plain(value: Value): string | number | boolean {
  if (!('value' in value)) return '';
  if (value.value instanceof Uint8Array) return Buffer.from(value.value).toString();
  return typeof value.value === 'bigint' ? Number(value.value) : value.value;
}
