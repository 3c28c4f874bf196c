import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BESIDE } from '../../../agent/mirror/entry-value.ts';
import { Mirror } from '../../../agent/mirror/mirror.ts';
import type { Change } from '../../../contract/updates.ts';
import { longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

const FAULTS = longRuns(2000, 40);

/** So few that no table grows. */
const ENTRIES = 30;
/** Integers of a slot by those of its table, which has sixteen slots. */
const WIDTHS: Readonly<Record<number, number>> = { 48: 3, 64: 4, 96: 6 };

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
  const key = { subject: n % 10 === 0 ? ` ${subject}` : subject, list };
  return {
    key,
    entry: { subject, list, action: 'deny', reason: `${n % 5}`, ...(n % 2 === 0 && { expiresAt: 1_900_000_000 }) },
  };
}

/** Makes one fault, and says which. */
function fault(random: Random, made: readonly Int32Array[]): string {
  const ints = random.pick(made.filter(({ length }) => WIDTHS[length] !== undefined));
  const width = WIDTHS[ints.length] ?? assert.fail();
  const slots = Array.from({ length: 16 }, (_, index) => index * width);
  const isFree = (slot: number) => ints[slot + width - 2] === 0;
  // of entries under other keys, of which only that bit counts
  const isMark = (slot: number) => ((ints[slot + width - 2] ?? 0) & ~31) === BESIDE;
  const slot = random.pick(slots.filter((slot) => !isFree(slot)));
  switch (random.below(4)) {
    case 0:
      ints[slot + width - 2] = 0;
      return `${width} gone`;
    case isMark(slot) ? -1 : 1: {
      const free = random.pick(slots.filter(isFree));
      ints.copyWithin(free, slot, slot + width);
      return `${width} twice`;
    }
    default: {
      const [word, bit] = isMark(slot) ? [width - 2, 30] : [random.below(width), random.below(30)];
      ints[slot + word] = (ints[slot + word] ?? 0) ^ (1 << bit);
      return `${width} word ${word} bit ${bit}`;
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
function withArrays(make: () => Mirror): { mirror: Mirror; made: Int32Array[] } {
  const made: Int32Array[] = [];
  const Real = globalThis.Int32Array;
  globalThis.Int32Array = new Proxy(Real, {
    construct(target, given) {
      const array = new target(...(given as [number]));
      made.push(array);
      return array;
    },
  });
  try {
    return { mirror: make(), made };
  } finally {
    globalThis.Int32Array = Real;
  }
}
