import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { Pair, Value } from './naive-codec.ts';

type JsonValue = {
  readonly type: Value['type'];
  readonly value?: unknown;
  readonly utf8?: string;
  readonly hex?: string;
};
type JsonPair = JsonValue & { readonly name: string };

interface JsonFrame {
  readonly type: string;
  readonly typeId: number;
  readonly length: number;
  readonly flags: number;
  readonly streamId: string;
  readonly frameId: string;
  readonly kv?: readonly JsonPair[];
  readonly messages?: readonly { readonly name: string; readonly args: readonly JsonPair[] }[];
  readonly actions?: readonly {
    readonly action: string;
    readonly scope: string;
    readonly name: string;
    readonly value?: JsonValue;
  }[];
  readonly payloadHex?: string;
}

export interface Vector {
  readonly file: string;
  readonly haproxy: string;
  /** Each line as bytes: one frame, or one read for those whose `lines` is `reads`. */
  readonly lines: readonly Uint8Array[];
  readonly frames: readonly JsonFrame[];
}

const folder = new URL('../../vectors/spop/', import.meta.url);

/** The frames captured from HAProxy, with what `index.json` says is in them. */
export const vectors: readonly Vector[] = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')).map(
  (entry: Vector) => ({ ...entry, lines: readLines(entry.file) }),
);

export function vector(file: string): Vector {
  const found = vectors.find((entry) => entry.file === file);
  if (found === undefined) throw new Error(`no vector ${file}`);
  return found;
}

/** The bytes of a vector of one line. */
export function vectorBytes(file: string): Uint8Array {
  const [line] = vector(file).lines;
  if (line === undefined) throw new Error(`vector ${file} is empty`);
  return line;
}

function readLines(file: string): Uint8Array[] {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => new Uint8Array(Buffer.from(line.trim(), 'hex')));
}

/** The typed value that an entry of `index.json` describes. */
export function valueIn({ type, value, utf8, hex }: JsonValue): Value {
  switch (type) {
    case 'null':
      return { type };
    case 'bool':
      return { type, value: value === true };
    case 'string':
    case 'binary':
      return { type, value: new Uint8Array(hex === undefined ? Buffer.from(utf8 ?? '') : Buffer.from(hex, 'hex')) };
    case 'ipv4':
    case 'ipv6':
      return { type, value: addressBytes(String(value)) };
    default:
      return { type, value: BigInt(String(value)) };
  }
}

export const pairOf = (pair: JsonPair): Pair => [pair.name, valueIn(pair)];

/** Bytes of an address as the index writes it; no zone, IPv4 only at the end. */
function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const groups = [...head];
  if (tail !== undefined) groups.push(...Array<string>(8 - head.length - tail.length).fill('0'), ...tail);
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}
