import assert from 'node:assert/strict';
import type { Frame } from '../../../spop/frame.ts';
import { FrameReader } from '../../../spop/frame-reader.ts';
import type { Value } from './naive-codec.ts';

/** The one frame in these bytes, as the agent's reader sees it. */
export function frameIn(bytes: Uint8Array): Frame {
  const reader = new FrameReader(1024 * 1024);
  reader.push(bytes);
  const frame = reader.next();
  assert.ok(frame, 'not a whole frame');
  return frame;
}

/** A value of every type, at its edges. */
export const values: readonly Value[] = [
  { type: 'null' },
  { type: 'bool', value: true },
  { type: 'bool', value: false },
  ...[-(2n ** 63n), -(2n ** 31n), -42n, -1n, 0n, 239n, 240n, 2n ** 31n - 1n, 2n ** 63n - 1n].flatMap(
    (value): Value[] => [
      { type: 'int32', value },
      { type: 'int64', value },
    ],
  ),
  ...[0n, 239n, 240n, 2287n, 2288n, 2n ** 32n - 1n, 2n ** 64n - 1n].flatMap((value): Value[] => [
    { type: 'uint32', value },
    { type: 'uint64', value },
  ]),
  { type: 'ipv4', value: Uint8Array.of(203, 0, 113, 7) },
  { type: 'ipv6', value: Uint8Array.from({ length: 16 }, (_, index) => index * 17) },
  ...(['string', 'binary'] as const).flatMap((type): Value[] => [
    { type, value: new Uint8Array(0) },
    { type, value: Uint8Array.of(0x63, 0xe9, 0xff, 0xfe, 0x00) },
    { type, value: new Uint8Array(239).fill(0x61) },
    { type, value: new Uint8Array(240).fill(0x62) },
    { type, value: new Uint8Array(2288).fill(0x63) },
  ]),
];
