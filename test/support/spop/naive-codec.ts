/**
 * A second SPOP codec for the tests, written from the description of the format and sharing nothing with the agent's:
 * slow, obvious, one function for each thing on the wire.
 */

export type Value =
  | { readonly type: 'null' }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'int32' | 'uint32' | 'int64' | 'uint64'; readonly value: bigint }
  | { readonly type: 'ipv4' | 'ipv6' | 'string' | 'binary'; readonly value: Uint8Array };
export type Pair = readonly [name: string, value: Value];
export type Message = readonly [name: string, ...args: Pair[]];
export type NaiveAction =
  | { readonly type: 'set-var'; readonly scope: string; readonly name: string; readonly value: Value }
  | { readonly type: 'unset-var'; readonly scope: string; readonly name: string };

export const TYPES = [
  'null',
  'bool',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'ipv4',
  'ipv6',
  'string',
  'binary',
] as const;
export const SCOPES = ['proc', 'sess', 'txn', 'req', 'res'] as const;

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
export const toHex = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString('hex');
export const join = (...parts: readonly Iterable<number>[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

export const str = (text: string): Value => ({ type: 'string', value: bytesOf(text) });
export const u32 = (value: number | bigint): Value => ({ type: 'uint32', value: BigInt(value) });
export const ipv4 = (...value: number[]): Value => ({ type: 'ipv4', value: Uint8Array.from(value) });

/** Numbers of k bytes start where those of k - 1 bytes end; there are 240, then 16 * 128, then 128 times as many. */
export function varint(number: bigint | number): number[] {
  let rest = BigInt.asUintN(64, BigInt(number));
  if (rest < 240n) return [Number(rest)];
  rest -= 240n;
  let middleBytes = 0;
  for (let count = 16n * 128n; rest >= count; count *= 128n) {
    rest -= count;
    middleBytes++;
  }
  const bytes = [240 + Number(rest % 16n)];
  rest /= 16n;
  for (; middleBytes > 0; middleBytes--) {
    bytes.push(128 + Number(rest % 128n));
    rest /= 128n;
  }
  return [...bytes, Number(rest)];
}

export function text(content: string | Uint8Array): number[] {
  const bytes = typeof content === 'string' ? bytesOf(content) : content;
  return [...varint(bytes.length), ...bytes];
}

export function typed(value: Value): number[] {
  const type = TYPES.indexOf(value.type);
  switch (value.type) {
    case 'null':
      return [type];
    case 'bool':
      return [value.value ? 0x11 : 0x01];
    case 'ipv4':
    case 'ipv6':
      return [type, ...value.value];
    case 'string':
    case 'binary':
      return [type, ...text(value.value)];
    default:
      return [type, ...varint(value.value)];
  }
}

export const pairs = (list: readonly Pair[]): number[] =>
  list.flatMap(([name, value]) => [...text(name), ...typed(value)]);

export const messages = (list: readonly Message[]): number[] =>
  list.flatMap(([name, ...args]) => [...text(name), args.length, ...pairs(args)]);

export const actions = (list: readonly NaiveAction[]): number[] =>
  list.flatMap((action) => [
    action.type === 'set-var' ? 1 : 2,
    action.type === 'set-var' ? 3 : 2,
    (SCOPES as readonly string[]).indexOf(action.scope),
    ...text(action.name),
    ...(action.type === 'set-var' ? typed(action.value) : []),
  ]);

export interface FrameParts {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: bigint | number;
  readonly frame?: bigint | number;
  readonly payload?: Iterable<number>;
}

/** A frame without its length prefix. */
export function bare({ type, flags = 1, stream = 0, frame = 0, payload = [] }: FrameParts): Uint8Array {
  return join([type, ...bigEndian(flags)], varint(stream), varint(frame), payload);
}

export const prefixed = (body: Uint8Array): Uint8Array => join(bigEndian(body.length), body);
export const frame = (parts: FrameParts): Uint8Array => prefixed(bare(parts));

function bigEndian(number: number): number[] {
  return [(number / 2 ** 24) & 255, (number / 2 ** 16) & 255, (number / 2 ** 8) & 255, number & 255];
}

export const notify = (stream: bigint | number, frameId: bigint | number, ...list: Message[]): Uint8Array =>
  frame({ type: 3, stream, frame: frameId, payload: messages(list) });

/** The HELLO of HAProxy; a key set to undefined is left out, others are added. */
export function hello(
  changes: Readonly<Record<string, Value | undefined>> = {},
  parts: Partial<FrameParts> = {},
): Uint8Array {
  const keys = {
    'supported-versions': str('2.0'),
    'max-frame-size': u32(16380),
    capabilities: str('pipelining'),
    ...changes,
  };
  const list = Object.entries(keys).filter((pair): pair is [string, Value] => pair[1] !== undefined);
  return frame({ type: 1, payload: pairs(list), ...parts });
}

export const HEALTH_CHECK = hello({ capabilities: str(''), healthcheck: { type: 'bool', value: true } });

export const disconnect = (status: number, message: string): Uint8Array =>
  frame({
    type: 2,
    payload: pairs([
      ['status-code', u32(status)],
      ['message', str(message)],
    ]),
  });

/** What the naive readers throw for bytes that are not in the format. */
export class Malformed extends Error {}

/** Reads from the front of bytes, as slowly as you please. */
export class Bytes {
  readonly all: Uint8Array;
  at = 0;

  constructor(all: Uint8Array) {
    this.all = all;
  }

  get left(): number {
    return this.all.length - this.at;
  }

  byte(): number {
    const byte = this.all[this.at];
    if (byte === undefined) throw new Malformed('no byte left');
    this.at++;
    return byte;
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw new Malformed(`${count} bytes wanted, ${this.left} left`);
    this.at += count;
    return this.all.subarray(this.at - count, this.at);
  }

  varint(): bigint {
    let sum = BigInt(this.byte());
    if (sum < 240n) return sum;
    for (let weight = 16n, read = 1; read < 10; weight *= 128n, read++) {
      const byte = this.byte();
      sum += BigInt(byte) * weight;
      if (byte < 128) return sum % 2n ** 64n;
    }
    throw new Malformed('varint of more than 10 bytes');
  }

  /** As `varint`, but not modulo anything: a length of 2^64 is too long and not 0. */
  text(): Uint8Array {
    let sum = this.byte();
    let more = sum >= 240;
    for (let weight = 16, read = 1; more; weight *= 128, read++) {
      if (read === 10) throw new Malformed('varint of more than 10 bytes');
      const byte = this.byte();
      sum += byte * weight;
      more = byte >= 128;
    }
    return this.take(sum);
  }

  number(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4);
    return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  }

  typed(): Value {
    const first = this.byte();
    const type = TYPES[first % 16];
    switch (type) {
      case undefined:
        throw new Malformed(`type ${first % 16}`);
      case 'null':
        return { type };
      case 'bool':
        return { type, value: Math.floor(first / 16) % 2 === 1 };
      case 'ipv4':
        return { type, value: this.take(4) };
      case 'ipv6':
        return { type, value: this.take(16) };
      case 'string':
      case 'binary':
        return { type, value: this.text() };
      case 'int32':
      case 'int64': {
        const value = this.varint();
        return { type, value: value >= 2n ** 63n ? value - 2n ** 64n : value };
      }
      default:
        return { type, value: this.varint() };
    }
  }
}

export interface ParsedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: bigint;
  readonly frameId: bigint;
  readonly payload: Uint8Array;
}

/** The frame in a body, that is without the length prefix. */
export function parseBody(body: Uint8Array): ParsedFrame {
  const bytes = new Bytes(body);
  return {
    type: bytes.byte(),
    flags: bytes.number(),
    streamId: bytes.varint(),
    frameId: bytes.varint(),
    payload: bytes.take(bytes.left),
  };
}

/** All frames of a stream that must end with a whole one. */
export function parseFrames(stream: Uint8Array): ParsedFrame[] {
  const bytes = new Bytes(stream);
  const frames: ParsedFrame[] = [];
  while (bytes.left > 0) frames.push(parseBody(bytes.take(bytes.number())));
  return frames;
}

export function parsePairs(payload: Uint8Array): Pair[] {
  const bytes = new Bytes(payload);
  const list: Pair[] = [];
  while (bytes.left > 0) list.push([Buffer.from(bytes.text()).toString(), bytes.typed()]);
  return list;
}

/** The number under a key of a HELLO or DISCONNECT. */
export function numberUnder(key: string, payload: Uint8Array): number {
  const value = new Map(parsePairs(payload)).get(key);
  if (value === undefined || !('value' in value) || typeof value.value !== 'bigint') throw new Malformed(key);
  return Number(value.value);
}

export function parseMessages(payload: Uint8Array): Message[] {
  const bytes = new Bytes(payload);
  const list: Message[] = [];
  while (bytes.left > 0) {
    const name = Buffer.from(bytes.text()).toString();
    const args: Pair[] = [];
    for (let left = bytes.byte(); left > 0; left--) args.push([Buffer.from(bytes.text()).toString(), bytes.typed()]);
    list.push([name, ...args]);
  }
  return list;
}

export function parseActions(payload: Uint8Array): NaiveAction[] {
  const bytes = new Bytes(payload);
  const list: NaiveAction[] = [];
  while (bytes.left > 0) {
    const kind = `${bytes.byte()} ${bytes.byte()}`;
    const scope = SCOPES[bytes.byte()];
    if (scope === undefined) throw new Malformed('scope');
    const name = Buffer.from(bytes.text()).toString();
    if (kind === '1 3') list.push({ type: 'set-var', scope, name, value: bytes.typed() });
    else if (kind === '2 2') list.push({ type: 'unset-var', scope, name });
    else throw new Malformed(`action ${kind}`);
  }
  return list;
}
