import { connect, type Socket } from 'node:net';
import { FrameType } from '../../spop/frame.ts';
import { hello, ipv4, notify, parseActions, parseBody } from './spop/naive-codec.ts';

/** Addresses that are asked in turn: what comes in does not depend on what is cached. */
const ADDRESSES = 64;

/** HAProxy's end of a connection on which a few questions are always in flight, one sent as soon as one is answered. */
export class SteadyLoad {
  answered = 0;
  /** Answers whose action was another than this. */
  readonly wrong: string[] = [];
  slowestMs = 0;
  /** Questions without an answer when the connection closed. */
  lost = 0;
  /** Connections that the agent ended, and of those the ones that it said goodbye on. */
  closed = 0;
  goodbyes = 0;
  readonly #path: string;
  readonly #inFlight: number;
  readonly #action: string;
  readonly #sent = new Map<number, number>();
  #socket: Socket | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #streams = 0;
  #due = 0;
  #isLeft = false;
  #isOver = false;

  constructor(path: string, inFlight: number, action: string) {
    this.#path = path;
    this.#inFlight = inFlight;
    this.#action = action;
    this.#connect();
  }

  /** Sends nothing more, and resolves when everything is answered or the connection is gone. */
  async end(): Promise<void> {
    this.#isOver = true;
    while (this.#sent.size > 0 && this.#socket !== undefined) await pause();
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#isOver) return;
    const socket = connect(this.#path);
    this.#rest = Buffer.alloc(0);
    this.#isLeft = false;
    socket.on('error', () => {});
    socket.on('connect', () => {
      this.#socket = socket;
      socket.write(hello());
    });
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('close', () => {
      if (this.#socket === socket && !this.#isOver) this.closed++;
      this.#socket = undefined;
      this.lost += this.#sent.size;
      this.#sent.clear();
      setTimeout(() => this.#connect(), 5);
    });
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readUInt32BE()) {
      const end = 4 + this.#rest.readUInt32BE();
      this.#read(parseBody(this.#rest.subarray(4, end)));
      this.#rest = this.#rest.subarray(end);
    }
    // Behind a goodbye nobody asks any more.
    if (this.#due > 0 && !this.#isLeft) this.#send(this.#due);
    this.#due = 0;
  }

  #read({ type, streamId, payload }: ReturnType<typeof parseBody>): void {
    if (type === FrameType.agentDisconnect) {
      this.goodbyes++;
      this.#isLeft = true;
    }
    if (type === FrameType.ack) {
      const sentMs = this.#sent.get(Number(streamId));
      if (sentMs === undefined) this.wrong.push(`an ACK of ${streamId}, which was not asked`);
      else this.slowestMs = Math.max(this.slowestMs, performance.now() - sentMs);
      this.#sent.delete(Number(streamId));
      this.answered++;
      const action = parseActions(payload).find(({ name }) => name === 'action');
      const said =
        action?.type === 'set-var' && action.value.type === 'string' ? textOf(action.value.value) : 'nothing';
      if (said !== this.#action) this.wrong.push(said);
      this.#due++;
    }
    if (type === FrameType.agentHello) this.#due = this.#inFlight;
  }

  #send(count: number): void {
    for (let left = count; left > 0 && !this.#isOver; left--) {
      const id = ++this.#streams;
      this.#sent.set(id, performance.now());
      this.#socket?.write(notify(id, 1, ['check-request', ['ip', ipv4(203, 0, 113, id % ADDRESSES)]]));
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString();
}
