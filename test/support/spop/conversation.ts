import type { AckActions } from '../../../spop/ack-payload.ts';
import { Connection } from '../../../spop/connection.ts';
import type { Frame } from '../../../spop/frame.ts';
import type { NotifyHandler } from '../../../spop/notify-handler.ts';
import type { OutputBuffer } from '../../../spop/output-buffer.ts';
import { HandClock } from '../clock.ts';
import { numberUnder, parseFrames, toHex } from './naive-codec.ts';

/** An answer of so many bytes, the essential one being its first. */
export const answerOfBytes = (full: number, essential = 1): AckActions => ({
  full: new Uint8Array(full).fill(0xaa),
  essential: new Uint8Array(essential).fill(0xee),
});

export const NOTHING: AckActions = { full: new Uint8Array(0), essential: new Uint8Array(0) };

type Decide = (streamId: bigint, frame: Frame) => AckActions | Promise<AckActions>;

/** A connection with a test at both of its ends: HAProxy's side, and whoever answers. */
export class Conversation {
  readonly clock = new HandClock();
  readonly writes: Uint8Array[] = [];
  readonly asked: bigint[] = [];
  readonly overloaded: bigint[] = [];
  readonly problems: string[] = [];
  readonly connection: Connection;
  ended = 0;
  /** Whether the socket takes the bytes at once, or still needs them after `write`. */
  takesAtOnce = true;

  /** The output is the connection's own, unless a test lets several share one; the deadline is unknown unless given. */
  constructor(decide: Decide = () => NOTHING, output?: OutputBuffer, deadlineMs?: number) {
    const handler: NotifyHandler = {
      answer: (frame) => {
        const { streamId } = frame.ids();
        this.asked.push(streamId);
        return decide(streamId, frame);
      },
      answerUsual: () => undefined,
      overload: (frame) => {
        this.overloaded.push(frame.ids().streamId);
        return answerOfBytes(2);
      },
    };
    const peer = {
      write: (bytes: Uint8Array) => {
        this.writes.push(this.takesAtOnce ? bytes.slice() : bytes);
        return this.takesAtOnce;
      },
      end: () => this.ended++,
    };
    const events = {
      protocolError: ({ status }: { status: number }) => this.problems.push(`error ${status}`),
      disconnectReceived: (status: number, message: string) => this.problems.push(`complaint ${status} ${message}`),
      answered() {},
      answeredLate() {},
      healthChecked() {},
    };
    this.connection = new Connection(
      peer,
      { current: handler, ...(deadlineMs !== undefined && { deadlineMs }) },
      this.clock,
      events,
      output,
    );
  }

  /** Everything HAProxy read so far, a word for each frame, and forgets it. */
  said(): string[] {
    const frames = this.writes.splice(0).flatMap(parseFrames);
    return frames.map(({ type, flags, streamId, frameId, payload }) => {
      if (flags !== 1) return `flags ${flags}`;
      if (type === 101) return 'hello';
      if (type === 102) return `disconnect ${numberUnder('status-code', payload)}`;
      const actions = payload.length === 0 ? '' : ` ${payload.length < 4 ? toHex(payload) : `${payload.length} bytes`}`;
      return type === 103 ? `ack ${streamId}:${frameId}${actions}` : `type ${type}`;
    });
  }

  receive(...chunks: Uint8Array[]): this {
    for (const chunk of chunks) this.connection.receive(chunk);
    return this;
  }
}

/** Promises that a test keeps when it likes. */
export class Pending<T> {
  readonly #resolvers = new Map<string, (value: T) => void>();

  make(key: bigint | number): Promise<T> {
    return new Promise((resolve) => this.#resolvers.set(String(key), resolve));
  }

  keep(key: bigint | number, value: T): void {
    const resolve = this.#resolvers.get(String(key));
    if (resolve === undefined) throw new Error(`nothing pending for ${key}`);
    this.#resolvers.delete(String(key));
    resolve(value);
  }
}

/** Lets every promise that can settle now do so. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
