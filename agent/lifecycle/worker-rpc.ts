/** The time limit of a call: a script may take long to load. */
const CALL_LIMIT_MS = 30_000;

/** Functions by name that another process can call; arguments and results are plain JSON. */
export type Procedures = Readonly<Record<string, (argument: never) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument?: unknown;
}

/** A message without an answer. */
interface Notice {
  readonly tells: string;
  readonly argument: unknown;
}

interface Answer {
  readonly answers: number;
  readonly value?: unknown;
  readonly error?: string;
}

/**
 * The other end of a channel between two processes of the agent. Without `done`, a failed send because the other process is
 * ending would emit `error`, which ends this process.
 */
interface Channel {
  send?(message: object, done: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'exit', listener: () => void): unknown;
}

/** Answers calls with these functions. */
export function serveCalls(channel: Pick<Channel, 'send' | 'on'>, functions: Procedures): void {
  channel.on('message', async (message) => {
    const { id, name, argument } = message as Call; // from our own first process
    const called = functions[name] as ((argument: unknown) => unknown) | undefined; // both sides are one program
    if (called === undefined) return;
    let answer: Answer;
    try {
      answer = { answers: id, value: await called(argument) };
    } catch (error) {
      answer = { answers: id, error: error instanceof Error ? error.message : String(error) };
    }
    channel.send?.(answer, () => {}); // the caller may be gone
  });
}

/** Tells another process something. */
export function tell(channel: Pick<Channel, 'send'>, tells: string, argument: unknown): void {
  channel.send?.({ tells, argument } satisfies Notice, () => {}); // the other end may be gone
}

/** Calls functions of another process. */
export class RpcClient {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  /** What the other process tells. */
  onTold: (name: string, argument: unknown) => void = () => {};

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.on('message', (message) => {
      const { answers, value, error, tells, argument } = message as Answer & Partial<Notice>; // from our own worker
      if (tells !== undefined) return this.onTold(tells, argument);
      const waiting = this.#waiting.get(answers);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(error));
    });
    channel.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the worker ended'));
    });
  }

  /** Rejects with the message of the function's error, if the other process ends, and if it takes too long. */
  async call(name: string, argument?: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = Promise.withResolvers<unknown>();
    const limit = setTimeout(() => answered.reject(new Error('the worker does not respond')), CALL_LIMIT_MS);
    this.#waiting.set(id, answered);
    try {
      this.#channel.send?.({ id, name, argument }, (error) => error && answered.reject(error));
      return await answered.promise;
    } finally {
      clearTimeout(limit);
      this.#waiting.delete(id);
    }
  }
}
