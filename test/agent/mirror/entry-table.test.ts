import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maskOf } from '../../../agent/decision/address.ts';
import { AddressHash, type Hash } from '../../../agent/decision/address-hash.ts';
import { EntryTable } from '../../../agent/mirror/entry-table.ts';
import { entryValue, listOf } from '../../../agent/mirror/entry-value.ts';
import { hasNewer, longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

const LISTS = 3;
const STEPS = longRuns(2_000_000, hasNewer ? 120_000 : 15_000);

/** All addresses begin their search at a few places: those behind one another are found, and stay found. */
const crowded: Hash = {
  ofIpv4: (a) => Math.imul(a & 7, 0x2492_4924),
  ofIpv6: (a, b) => Math.imul((a ^ b) & 7, 0x2492_4924),
  ofNetwork: () => 0,
};

describe('a table of entries', () => {
  for (const [isIpv4, prefix] of [
    [true, 32],
    [true, 20],
    [false, 64],
    [false, 48],
    [false, 128],
  ] as const)
    for (const [name, hash, subjects] of [
      ['', new AddressHash(), STEPS / 4],
      [' whose searches meet', crowded, 400],
    ] as const)
      it(`has what a map has, for ${isIpv4 ? 'IPv4' : 'IPv6'} /${prefix}${name}`, () => {
        const random = new Random(prefix);
        const table = new EntryTable(isIpv4, prefix, hash, 0);
        const map = new Map<string, number>();
        const steps = STEPS / (subjects === 400 ? 20 : 1);
        for (let step = 0; step < steps; step++) {
          const words = wordsOf(random.below(subjects), isIpv4, prefix);
          const list = random.below(LISTS);
          const name = `${Object.values(words)} ${list}`;
          const slot = table.find(words, list);
          assert.equal(slot < 0 ? undefined : table.value(slot), map.get(name), name);
          if (slot >= 0 && random.oneIn(3)) {
            table.remove(slot);
            map.delete(name);
            continue;
          }
          const value = entryValue(1 + random.below(1000), list);
          if (slot < 0) table.add(words, value, step);
          else table.set(slot, value, step);
          map.set(name, value);
        }
        assert.equal(table.size, map.size);
        const shown = new Map<string, number>();
        for (const _ of table.unsummed(1, (words, value) =>
          shown.set(`${Object.values(words)} ${listOf(value)}`, value),
        ));
        assert.deepEqual(shown, map);
        for (let number = 0; number < subjects; number++) {
          const words = wordsOf(number, isIpv4, prefix);
          const found: number[] = [];
          table.search(words, { needs: () => true, found: (value) => void found.push(value) });
          const lists = Array.from({ length: LISTS }, (_, list) => map.get(`${Object.values(words)} ${list}`));
          assert.deepEqual(
            found.toSorted((a, b) => listOf(a) - listOf(b)),
            lists.filter((value) => value !== undefined),
          );
        }
      });
});

function wordsOf(number: number, isIpv4: boolean, prefix: number) {
  const spread = Math.imul(number + 1, 0x9e37_79b1);
  return {
    a: spread & maskOf(prefix),
    b: isIpv4 ? 0 : Math.imul(spread, 3) & maskOf(prefix - 32),
    c: prefix === 128 ? number : 0,
    d: prefix === 128 ? number & 3 : 0,
  };
}
