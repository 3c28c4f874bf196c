import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeAck } from '../../spop/ack.ts';
import { decodeDisconnect } from '../../spop/disconnect.ts';
import { SpopError } from '../../spop/errors.ts';
import type { Frame } from '../../spop/frame.ts';
import { FrameReader } from '../../spop/frame-reader.ts';
import { decodeAgentHello, decodeHaproxyHello } from '../../spop/hello.ts';
import { decodeNotify } from '../../spop/notify.ts';
import { SCOPE } from '../support/scope.ts';
import {
  actions,
  messages,
  pairs,
  parseActions,
  parseFrames,
  parseMessages,
  parsePairs,
  prefixed,
} from '../support/spop/naive-codec.ts';
import { vectors } from '../support/spop/vectors.ts';

/** Fragments are no lists of their own and have no decoder. */
const whole = vectors.filter(({ file }) => !file.includes('fragmented.hex'));
const frames = whole.flatMap(({ file, lines }) => {
  const all = lines.flatMap(splitFrames);
  return all.map((bytes, index) => ({ name: all.length === 1 ? file : `${file} frame ${index + 1}`, bytes }));
});

/** What is left of a frame that has only so many bytes of its body, as the keys or items that are whole. */
type Outcome = { readonly status: number } | { readonly items: number };

/** Every length; of a long frame, which repeats itself, a seventh of them where time is short. */
function nextCut(kept: number): number {
  return kept + (SCOPE === 'all' || kept < 512 ? 1 : 7);
}

describe('a frame of which the end has not come yet', () => {
  for (const { name, bytes } of frames) {
    it(`is waited for wherever ${name} stops`, () => {
      for (let kept = 0; kept < bytes.length; kept = nextCut(kept)) {
        const reader = new FrameReader(16_380);
        reader.push(bytes.subarray(0, kept));
        if (reader.next() !== undefined) assert.fail(`yielded a frame after ${kept} of ${bytes.length} bytes`);
      }
    });
  }
});

describe('a frame that ends too early, its length saying so', () => {
  for (const { name, bytes } of frames) {
    it(`is an invalid frame wherever ${name} is cut, but for the cuts between two items`, () => {
      const legal = legalCuts(bytes);
      for (let kept = 0; kept < bytes.length - 4; kept = nextCut(kept)) {
        const outcome = decode(prefixed(bytes.subarray(4, 4 + kept)));
        const expected = legal.get(kept) ?? { status: 4 };
        if (
          'status' in expected
            ? !('status' in outcome) || outcome.status !== expected.status
            : !('items' in outcome) || outcome.items !== expected.items
        )
          assert.deepEqual(outcome, expected, `cut to ${kept} bytes`);
      }
    });
  }
});

/**
 * The only lengths at which a cut frame is a shorter list and not a broken one. A HELLO without a key that must be there
 * has a status of its own for each key.
 */
function legalCuts(bytes: Uint8Array): Map<number, Outcome> {
  const [frame] = parseFrames(bytes);
  assert.ok(frame);
  const header = bytes.length - 4 - frame.payload.length;
  const cuts = new Map<number, Outcome>();
  const add = (items: number, payloadBytes: number, outcome: Outcome = { items }) =>
    cuts.set(header + payloadBytes, outcome);
  switch (frame.type) {
    case 3: {
      const list = parseMessages(frame.payload);
      for (let count = 0; count < list.length; count++) add(count, messages(list.slice(0, count)).length);
      return cuts;
    }
    case 103: {
      const list = parseActions(frame.payload);
      for (let count = 0; count < list.length; count++) add(count, actions(list.slice(0, count)).length);
      return cuts;
    }
    default: {
      const list = parsePairs(frame.payload);
      for (let count = 0; count < list.length; count++) {
        const kept = list.slice(0, count);
        const missing = missingStatus(
          frame.type,
          kept.map(([key]) => key),
        );
        add(count, pairs(kept).length, missing === undefined ? { items: count } : { status: missing });
      }
      return cuts;
    }
  }
}

function missingStatus(type: number, keys: readonly string[]): number | undefined {
  if (type === 1)
    return !keys.includes('supported-versions')
      ? 5
      : !keys.includes('max-frame-size')
        ? 6
        : !keys.includes('capabilities')
          ? 7
          : undefined;
  if (type === 101) return !keys.includes('version') ? 5 : !keys.includes('max-frame-size') ? 6 : undefined;
  return undefined; // a DISCONNECT without a status is one of status 99
}

function decode(bytes: Uint8Array): Outcome {
  const reader = new FrameReader(16_380);
  reader.push(bytes);
  try {
    const frame = reader.next();
    assert.ok(frame, 'no frame in a whole one');
    return { items: countItems(frame) };
  } catch (error) {
    if (!(error instanceof SpopError)) throw error;
    return { status: error.status };
  }
}

function countItems(frame: Frame): number {
  switch (frame.type) {
    case 3:
      return decodeNotify(frame).length;
    case 103:
      return decodeAck(frame).length;
    case 1:
      decodeHaproxyHello(frame);
      break;
    case 101:
      decodeAgentHello(frame);
      break;
    default:
      decodeDisconnect(frame);
  }
  return parsePairs(frame.bytes.slice(frame.payloadAt, frame.end)).length;
}

function splitFrames(line: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < line.length; ) {
    const end = at + 4 + Buffer.from(line).readUInt32BE(at);
    found.push(line.subarray(at, end));
    at = end;
  }
  return found;
}
