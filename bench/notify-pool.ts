import { encodeFrame, FrameType } from '../spop/frame.ts';
import { PayloadWriter } from '../spop/payload-writer.ts';
import { DataType } from '../spop/typed-data.ts';

export interface PoolOptions {
  readonly addresses: number;
  readonly family: 'ipv4' | 'ipv6' | 'mixed';
  /** The exponent of the addresses' Zipf distribution; 0 is uniform. */
  readonly zipf: number;
  readonly seed: number;
}

/** NOTIFY frames, encoded in advance in one buffer, so that sending a batch is a single write. */
export interface Pool {
  readonly bytes: Buffer;
  /** Where each frame begins; one more at the end. */
  readonly starts: Uint32Array;
  /** Whether the address of each frame is listed. */
  readonly listed: Uint8Array;
  readonly size: number;
}

const FRAMES = 100_000;
const ARGUMENTS = [
  ['method', 'GET'],
  ['path', '/products/shoes/running?colour=blue&size=42'],
  ['host', 'shop.example.com'],
  ['ua', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
] as const;

const MESSAGE = 'check-request';
/** The position after the message name, the number of arguments, the name of the first argument, and its type. */
const ADDRESS_AT = 1 + MESSAGE.length + 1 + 3 + 1;
const PAYLOADS = { ipv4: payloadOf(DataType.ipv4, 4), ipv6: payloadOf(DataType.ipv6, 16) };

/** Addresses of odd rank are listed: half of the requests are denied. */
export function isListed(rank: number): boolean {
  return rank % 2 === 1;
}

/** The address of a rank, deterministic and spread over the whole address space. */
export function addressOf(rank: number, family: PoolOptions['family']): Uint8Array {
  const v6 = family === 'ipv6' || (family === 'mixed' && rank % 4 >= 2);
  const bytes = new Uint8Array(v6 ? 16 : 4);
  const view = new DataView(bytes.buffer);
  // Odd multiplier: every rank below 2^32 has a different address. The first byte is never 0 or 127.
  view.setUint32(bytes.length - 4, Math.imul(rank + 1, 0x9e3779b1) >>> 0);
  if (v6) view.setUint32(0, 0x20010db8);
  return bytes;
}

export function createPool({ addresses, family, zipf, seed }: PoolOptions): Pool {
  const random = randomFrom(seed);
  const draw = zipf === 0 ? () => Math.floor(random() * addresses) : zipfDraw(addresses, zipf, random);
  const frames: Uint8Array[] = [];
  const starts = new Uint32Array(FRAMES + 1);
  const listed = new Uint8Array(FRAMES);
  for (let index = 0; index < FRAMES; index++) {
    const rank = draw();
    listed[index] = isListed(rank) ? 1 : 0;
    const frame = notify(index, addressOf(rank, family));
    starts[index + 1] = (starts[index] as number) + frame.length; // filled in order
    frames.push(frame);
  }
  return { bytes: Buffer.concat(frames), starts, listed, size: FRAMES };
}

/** Stream ids increase with each frame, so that those in flight on a connection differ. */
export function notify(index: number, address: Uint8Array): Uint8Array {
  const ids = new PayloadWriter()
    .varint(index * 2 + 1)
    .varint(1)
    .finish();
  const payload = PAYLOADS[address.length === 4 ? 'ipv4' : 'ipv6'];
  payload.set(address, ADDRESS_AT);
  return encodeFrame(FrameType.notify, ids, payload);
}

/** The payload of the frames of a family, into which the address is written: encoding 100,000 of them takes a second. */
function payloadOf(type: number, addressBytes: number): Uint8Array {
  const payload = new PayloadWriter().text(MESSAGE).byte(1 + ARGUMENTS.length);
  payload.text('ip').byte(type).raw(new Uint8Array(addressBytes));
  for (const [name, value] of ARGUMENTS) payload.text(name).byte(DataType.string).text(value);
  return payload.finish();
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Ranks by Zipf's law: the first is drawn most often. */
export function zipfDraw(count: number, exponent: number, random: () => number): () => number {
  const cumulated = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** exponent;
    cumulated[rank] = sum;
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulated[middle] as number) < wanted)
        low = middle + 1; // in bounds
      else high = middle;
    }
    return low;
  };
}
