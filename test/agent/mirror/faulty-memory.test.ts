import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BESIDE } from '../../../agent/mirror/entry-value.ts';
import { Mirror } from '../../../agent/mirror/mirror.ts';
import type { Change } from '../../../contract/updates.ts';
import { longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

const FAULTS = longRuns(2000, 40);

const SLOTS = 16;
/** So few that no table grows. */
const ENTRIES = 30;
/** Integers of a slot, by those of its table before it grows; expiries are in an array of their own. */
const WIDTHS: Readonly<Record<number, number>> = { 32: 2, 48: 3, 80: 5 };

describe('a fault in the memory of a mirror', () => {
  it(`is found when the sums are computed anew, ${FAULTS} times: a bit of an entry, one that is gone, one too many`, () => {
    const random = new Random(7);
    for (let count = 0; count < FAULTS; count++) {
      const { mirror, made } = withArrays(filled);
      assert.deepEqual(recomputed(mirror), []);
      const what = fault(random, made);
      assert.ok(recomputed(mirror).length > 0, what);
      for (let n = 0; n < ENTRIES; n++) mirror.apply({ ...changeOf(n), entry: null }); // and nothing breaks
    }
  });
});

function filled(): Mirror {
  const mirror = new Mirror({ lists: ['manual', 'feed'] }, 1000);
  for (let n = 0; n < ENTRIES; n++) mirror.apply(changeOf(n));
  return mirror;
}

function changeOf(n: number): Change {
  const subject = [`ip:203.0.113.${n}`, `ip:2001:db8::${n}`, `ip:2001:db8:${n}::/64`][n % 3] ?? '';
  const list = n % 4 === 0 ? 'feed' : 'manual';
  const key = { subject: n % 10 === 9 ? ` ${subject}` : subject, list };
  return {
    key,
    entry: { subject, list, action: 'deny', reason: `${n % 5}`, ...(n % 5 < 3 && { expiresAt: 1_900_000_000 }) },
  };
}

/** Makes one fault, and says which. The first entry of each table expires, so that its expiries come behind its slots. */
function fault(random: Random, made: readonly (Uint8Array | Int32Array)[]): string {
  const ints = random.pick(made.filter((array) => array instanceof Int32Array && WIDTHS[array.length] !== undefined));
  const tags = made[made.indexOf(ints) - 1] ?? assert.fail();
  assert.equal(tags.length, SLOTS);
  const later = made.slice(made.indexOf(ints) + 1);
  const expiries = later.find((array) => array instanceof Int32Array && array.length === SLOTS) ?? assert.fail();
  const width = WIDTHS[ints.length] ?? assert.fail();
  const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
  const valueAt = (slot: number) => slot * width + width - 1;
  // of entries under other keys, of which only that bit counts
  const isMark = (slot: number) => ((ints[valueAt(slot)] ?? 0) & ~31) === BESIDE;
  const slot = random.pick(slots.filter((slot) => tags[slot] !== 0));
  switch (random.below(6)) {
    case 0:
      tags[slot] = 0;
      return `${width} gone`;
    case 1:
      tags[slot] = (tags[slot] ?? 0) ^ (1 << random.below(8));
      return `${width} tag`;
    case isMark(slot) ? -1 : 2: {
      const free = random.pick(slots.filter((slot) => tags[slot] === 0));
      tags[free] = tags[slot] ?? 0;
      ints.copyWithin(free * width, slot * width, (slot + 1) * width);
      return `${width} twice`;
    }
    case isMark(slot) ? -1 : 3:
      expiries[slot] = (expiries[slot] ?? 0) ^ (1 << random.below(31));
      return `${width} expiry`;
    default: {
      const [at, bit] = isMark(slot) ? [valueAt(slot), 30] : [slot * width + random.below(width), random.below(30)];
      ints[at] = (ints[at] ?? 0) ^ (1 << bit);
      return `${width} word ${at % width} bit ${bit}`;
    }
  }
}

function recomputed(mirror: Mirror): readonly string[] {
  const run = mirror.recompute();
  for (;;) {
    const { done, value } = run.next();
    if (done === true) return value;
  }
}

/** Runs with each array that is made meanwhile known. */
function withArrays(make: () => Mirror): { mirror: Mirror; made: (Uint8Array | Int32Array)[] } {
  const made: (Uint8Array | Int32Array)[] = [];
  const { Uint8Array: Bytes, Int32Array: Ints } = globalThis;
  const known = <Kind extends typeof Uint8Array | typeof Int32Array>(kind: Kind): Kind =>
    new Proxy(kind, {
      construct(target, given) {
        const array = Reflect.construct(target, given);
        made.push(array);
        return array;
      },
    });
  globalThis.Uint8Array = known(Bytes);
  globalThis.Int32Array = known(Ints);
  try {
    return { mirror: make(), made };
  } finally {
    globalThis.Uint8Array = Bytes;
    globalThis.Int32Array = Ints;
  }
}
