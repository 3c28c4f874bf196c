import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { AddressHash } from '../../../agent/decision/address-hash.ts';
import { AddressTable } from '../../../agent/decision/address-table.ts';
import { longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

type Words = readonly [a: number, b?: number, c?: number, d?: number];
type Family = (index: number) => Words;

const KNOWN = { value: 1, freshUntil: 600, keptUntil: 6600, refreshable: true };
const PREFIX = 0x20010db8;

/** A difference in the high bits of the third word that the fourth took back, whatever the seed, while there was one. */
const taken =
  (bits: number): Family =>
  (index) => {
    const [high, x] = [index >>> bits, index & ((1 << bits) - 1)];
    return [PREFIX, 0x10001, high << (32 - bits), (x << (32 - bits)) ^ (x << (16 - bits))];
  };

/** Sets of addresses that are easy to have, from one network mostly. */
const IPV6: Record<string, Family> = {
  'that took each other back': taken(6),
  counted: (index) => [PREFIX, 0x10001, 0, index],
  'counted from the highest bit': (index) => [PREFIX, 0x10001, reversed(index), 0],
  'counted from the highest bit of the last word': (index) => [PREFIX, 0x10001, 0, reversed(index)],
  'of every /64': (index) => [PREFIX, index, 0, 0],
  'with two equal counters': (index) => [PREFIX, 1, index << 12, index << 12],
  'with a counter and its complement': (index) => [PREFIX, 1, index, index ^ -1],
  'at equal distances': (index) => [PREFIX, 0, 0, Math.imul(index + 1, 0x9e3779b1)],
};
/** Few high bits of many halves of words, which is where a sum of products has as many values as they have. */
const sparse: Family = (index) => {
  const half = (at: number) => ((index >>> at) & 15) << 12;
  return [PREFIX, half(0), half(4) | (half(8) << 16), half(12) | (half(16) << 16)];
};
const IPV4: Record<string, Family> = {
  counted: (index) => [index],
  'counted from the highest bit': (index) => [reversed(index)],
  'of the same end': (index) => [index << 12],
  'at equal distances': (index) => [Math.imul(index + 1, 0x9e3779b1)],
};

/** How many slots a put looked at until it had a place, and a search at last, and how many went for want of a place. */
function filled(family: Family, words: 1 | 4, { capacity, seed }: { capacity: number; seed: number }) {
  const random = new Random(seed);
  const hash = new AddressHash(Int32Array.from({ length: 9 }, () => random.below(2 ** 32)));
  const table = new AddressTable(words, capacity, hash);
  const address = new Address();
  address.words = words;
  const be = (index: number) => {
    const [a, b = 0, c = 0, d = 0] = family(index);
    Object.assign(address, { a: a | 0, b: b | 0, c: c | 0, d: d | 0 });
  };
  const seen = () => {
    const { a, b, c, d } = address;
    const slots = table.bytes / 4 / width;
    const home = (words === 1 ? hash.ofIpv4(a) : hash.ofIpv6(a, b, c, d)) >>> (32 - Math.log2(slots));
    return ((table.find(address) / width - home + slots) % slots) + 1;
  };
  const width = words === 1 ? 4 : 8;
  let puts = 0;
  for (let index = 0; index < capacity; index++) {
    be(index);
    table.put(address, KNOWN, 0);
    puts += seen();
  }
  let finds = 0;
  for (let index = 0; index < capacity; index++) {
    be(index);
    finds += seen();
  }
  return { mean: puts / capacity, find: finds / capacity, lost: table.evicted };
}

function reversed(number: number): number {
  let bits = 0;
  for (let bit = 0; bit < 32; bit++) bits |= ((number >>> bit) & 1) << (31 - bit);
  return bits;
}

/** The same for addresses of no pattern. */
function usual(words: 1 | 4, { capacity, seed }: { capacity: number; seed: number }): number {
  const any: Family = (index) => {
    const random = new Random(seed ^ Math.imul(index, 0x9e3779b1));
    return [random.below(2 ** 32), random.below(2 ** 32), random.below(2 ** 32), random.below(2 ** 32)];
  };
  return filled(any, words, { capacity, seed }).mean;
}

describe('hashes of addresses', () => {
  const seeds = Array.from({ length: longRuns(200) }, (_, seed) => 1 + seed * 7919);
  // As full as a table becomes before it is doubled.
  const capacity = Math.floor(8192 * 0.8);
  for (const [words, families] of [
    [1, IPV4],
    [4, IPV6],
  ] as const)
    for (const [name, family] of Object.entries(families))
      it(`are those of random ones for IPv${words === 1 ? 4 : 6} addresses ${name}, whatever the secrets`, () => {
        for (const seed of seeds) {
          const { mean, lost } = filled(family, words, { capacity, seed });
          assert.equal(lost, 0, `seed ${seed}`);
          assert.ok(mean < 1.5 * usual(words, { capacity, seed }), `seed ${seed}: ${mean} slots a put`);
        }
      });

  it('are not shared by very many addresses of one network, whatever they are', () => {
    const many = { capacity: longRuns(1 << 20, 1 << 15), seed: 5 };
    const most = 1.1 * usual(4, many);
    for (const family of [taken(10), sparse]) {
      const { mean, find, lost } = filled(family, 4, many);
      assert.equal(lost, 0);
      assert.ok(find < 2, `${find} slots a search`);
      assert.ok(mean < most, `${mean} slots a put, and ${most}`);
    }
  });
});
