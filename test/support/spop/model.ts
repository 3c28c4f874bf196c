import {
  Bytes,
  Malformed,
  type Message,
  type Pair,
  type ParsedFrame,
  parseBody,
  parseMessages,
  parsePairs,
  type Value,
} from './naive-codec.ts';

/** What an agent must say next: hello, an ACK for these ids, or a DISCONNECT with one of these statuses. */
export type AckPayload =
  | { readonly type: 'hello'; readonly maxFrameSize: number }
  | { readonly type: 'ack'; readonly ids: string; readonly messages: readonly Message[] }
  | { readonly type: 'disconnect'; readonly statuses: readonly number[] };

const MIB = 1024 * 1024;

/**
 * How an agent must answer, told naively: whole frames in, words out, every rule that a frame breaks collected instead of
 * the first one found. Knows nothing of time: a refusal is said when it is due.
 */
export class Model {
  #state: 'greeting' | 'checking' | 'open' | 'closed' = 'greeting';
  #maxFrameBytes = 4096;
  #rest: Uint8Array = new Uint8Array(0);
  /** The ids of frames that have to wait for their ACK. */
  readonly waiting = new Set<string>();
  readonly #mustWait: (messages: readonly Message[]) => boolean;

  constructor(mustWait: (messages: readonly Message[]) => boolean) {
    this.#mustWait = mustWait;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** True while the beginning of a frame is held. */
  get isHalfway(): boolean {
    return this.#rest.length > 0;
  }

  receive(chunk: Uint8Array): AckPayload[] {
    const said: AckPayload[] = [];
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#state !== 'closed' && this.#rest.length >= 4) {
      const length = new Bytes(this.#rest).number();
      if (length > this.#maxFrameBytes) this.#end(said, [3]);
      else if (length < 7) this.#end(said, [4]);
      else if (this.#rest.length < 4 + length) return said;
      else {
        const body = this.#rest.subarray(4, 4 + length);
        this.#rest = this.#rest.subarray(4 + length);
        this.#frame(said, body);
      }
    }
    return said;
  }

  #frame(said: AckPayload[], body: Uint8Array): void {
    const frame = unlessMalformed(() => parseBody(body));
    if (frame === undefined) this.#end(said, [4]);
    else if (this.#state === 'greeting') this.#greeting(said, frame);
    else if (frame.type === 0) this.#end(said, [11]);
    else if (frame.type === 1) this.#end(said, [4]);
    else if (frame.type === 2) this.#disconnect(said, frame);
    else if (frame.type === 3) this.#notify(said, frame);
  }

  #greeting(said: AckPayload[], frame: ParsedFrame): void {
    if (frame.type !== 1) {
      this.#end(said, [4]);
      return;
    }
    const list = unlessMalformed(() => parsePairs(frame.payload));
    const statuses = [...connectionFrameStatuses(frame), ...(list === undefined ? [4] : helloStatuses(list))];
    if (statuses.length > 0 || list === undefined) {
      this.#end(said, statuses);
      return;
    }
    const values = new Map(list);
    const isCheck = (values.get('healthcheck') as { value: boolean } | undefined)?.value === true; // a bool: no status
    const announced = Number((values.get('max-frame-size') as { value: bigint }).value); // an integer: no status
    this.#state = isCheck ? 'checking' : 'open';
    this.#maxFrameBytes = Math.min(announced, MIB);
    said.push({ type: 'hello', maxFrameSize: isCheck ? 256 : this.#maxFrameBytes });
  }

  #disconnect(said: AckPayload[], frame: ParsedFrame): void {
    const list = unlessMalformed(() => parsePairs(frame.payload));
    const values = new Map(list);
    const statuses = [
      ...connectionFrameStatuses(frame),
      ...(list === undefined ? [4] : []),
      ...(isInteger(values.get('status-code') ?? { type: 'uint32', value: 0n }) ? [] : [4]),
      ...textStatuses(values, 'message'),
    ];
    this.#end(said, statuses.length > 0 ? statuses : [0]);
  }

  #notify(said: AckPayload[], frame: ParsedFrame): void {
    const list = unlessMalformed(() => parseMessages(frame.payload));
    const ids = `${frame.streamId}:${frame.frameId}`;
    const statuses = [
      ...(this.#state === 'open' ? [] : [4]),
      ...(frame.flags % 2 === 1 ? [] : [10]),
      ...(frame.frameId === 0n ? [4] : []),
      ...(list === undefined ? [4] : []),
      ...(this.waiting.has(ids) ? [4] : []),
    ];
    if (statuses.length > 0 || list === undefined) this.#end(said, statuses);
    else if (this.#mustWait(list)) this.waiting.add(ids);
    else said.push({ type: 'ack', ids, messages: list });
  }

  #end(said: AckPayload[], statuses: readonly number[]): void {
    this.#state = 'closed';
    this.waiting.clear();
    said.push({ type: 'disconnect', statuses });
  }
}

function connectionFrameStatuses({ flags, streamId, frameId }: ParsedFrame): number[] {
  return [...(flags % 2 === 1 ? [] : [10]), ...(streamId === 0n && frameId === 0n ? [] : [4])];
}

function helloStatuses(list: readonly Pair[]): number[] {
  const values = new Map(list);
  const versions = values.get('supported-versions');
  const size = values.get('max-frame-size');
  const isSupported =
    versions?.type === 'string' &&
    textOf(versions)
      .split(',')
      .some((word) => /^2\.[0-9]+$/.test(word.trim()));
  return [
    ...(versions === undefined ? [5] : versions.type !== 'string' ? [4] : isSupported ? [] : [8]),
    ...(size === undefined ? [6] : isInteger(size) && size.value >= 256n ? [] : [9]),
    ...(values.has('capabilities') ? textStatuses(values, 'capabilities') : [7]),
    ...textStatuses(values, 'engine-id'),
    ...((values.get('healthcheck')?.type ?? 'bool') === 'bool' ? [] : [4]),
  ];
}

const textStatuses = (values: ReadonlyMap<string, Value>, key: string) =>
  (values.get(key)?.type ?? 'string') === 'string' ? [] : [4];
const textOf = (value: { readonly value: Uint8Array }) => Buffer.from(value.value).toString();
const isInteger = (value: Value): value is Extract<Value, { value: bigint }> =>
  'value' in value && typeof value.value === 'bigint';

function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
