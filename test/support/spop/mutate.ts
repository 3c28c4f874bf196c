import { values } from './frames.ts';
import {
  disconnect,
  frame,
  fromHex,
  HEALTH_CHECK,
  hello,
  type Message,
  notify,
  type Pair,
  str,
  u32,
} from './naive-codec.ts';
import type { Random } from './random.ts';
import { vectors } from './vectors.ts';

const NAMES = ['m', 'check', 'check-request', 'first', 'second', 'unheard-of', ''];
const ARGUMENTS = ['ip', 'host', 'path', 'method', 'key', 'asn', '', 'ip', 'other'];
const BYTES = [0x00, 0x01, 0x02, 0x03, 0x07, 0x08, 0x0a, 0x0f, 0x10, 0x11, 0x7f, 0x80, 0xef, 0xf0, 0xfe, 0xff];
/** Varints that lie: empty, endless, huge, small modulo 2^64. */
const VARINTS = [
  'ef',
  'f0',
  'f000',
  'ff7f',
  'f08000',
  'fff0fefe7e',
  'fff0fefefefefefefe0e',
  'f0f0fefefefefefefe0e',
  'f1f0fefefefefefefe0f',
  'f080808080808080808000',
  'ffffffffffffffffffffffff',
].map(fromHex);
const small = values.filter(
  (value) => !('value' in value && value.value instanceof Uint8Array && value.value.length > 300),
);

/** Frames to start from: all that HAProxy sent, and as many again of the naive codec. */
export function corpus(random: Random): Uint8Array[] {
  const captured = vectors.flatMap(({ lines }) => lines);
  // The long ones come once, so that most of a million frames can be short.
  const short = captured.filter(({ length }) => length < 400);
  const made = Array.from({ length: 300 }, () => naiveFrame(random));
  return [...captured, ...short, ...short, ...short, ...made];
}

export function naiveFrame(random: Random): Uint8Array {
  switch (random.below(12)) {
    case 0:
      return hello({ 'max-frame-size': u32(random.pick([256, 4096, 16380, 2 ** 21, 0, 255])) });
    case 1:
      return HEALTH_CHECK;
    case 2:
      return disconnect(random.pick([0, 2, 4, 99, 200]), 'text');
    case 3:
      return frame({
        type: random.pick([0, 1, 4, 101, 102, 103, 255]),
        flags: random.below(4),
        stream: random.below(3),
        frame: random.below(3),
      });
    default:
      return notify(
        random.pick([0, 1, 2, 300, 2n ** 40n]),
        random.pick([1, 1, 1, 2, 300]),
        ...list(random, 3, () => message(random)),
      );
  }
}

function message(random: Random): Message {
  return [
    random.pick(NAMES),
    ...list(random, 4, (): Pair => [random.pick(ARGUMENTS), random.oneIn(4) ? str('203.0.113.7') : random.pick(small)]),
  ];
}

function list<T>(random: Random, upTo: number, make: () => T): T[] {
  return Array.from({ length: random.below(upTo + 1) }, make);
}

/** One wound, at times two or three; mostly with the length put right afterwards, so that they are felt further in. */
export function mutate(random: Random, original: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let wounds = random.oneIn(4) ? 1 + random.below(2) : 0; wounds >= 0; wounds--)
    bytes = wound(random, bytes, others);
  if (bytes.length >= 4 && !random.oneIn(8)) putLength(bytes, bytes.length - 4);
  return bytes;
}

function wound(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(9)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8)); // in bounds
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = random.pick(BYTES);
      return bytes;
    case 2:
      return spliced(
        bytes,
        at,
        at,
        Uint8Array.from({ length: 1 + random.below(4) }, () => random.pick(BYTES)),
      );
    case 3:
      return spliced(bytes, at, Math.min(bytes.length, at + 1 + random.below(8)), new Uint8Array(0));
    case 4:
      return bytes.slice(0, at);
    case 5: {
      const other = random.pick(others);
      return spliced(bytes, at, bytes.length, other.subarray(random.below(other.length), Math.min(other.length, 2000)));
    }
    case 6:
      return spliced(bytes, at, at, random.pick(VARINTS));
    case 7:
      return spliced(bytes, at, Math.min(bytes.length, at + 1), random.pick(VARINTS));
    default:
      if (bytes.length >= 4)
        putLength(
          bytes,
          random.pick([0, 6, 7, 8, bytes.length - 5, bytes.length - 3, 300, 4096, 16380, 16381, 2 ** 31, 2 ** 32 - 1]),
        );
      return bytes;
  }
}

function spliced(bytes: Uint8Array, from: number, to: number, insert: Uint8Array): Uint8Array {
  const result = new Uint8Array(from + insert.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(insert, from);
  result.set(bytes.subarray(to), from + insert.length);
  return result;
}

function putLength(bytes: Uint8Array, length: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, Math.max(length, 0));
}
