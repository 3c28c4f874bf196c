import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { Address, maskOf } from '../../../agent/decision/address.ts';
import { AddressEntries } from '../../../agent/mirror/address-entries.ts';
import { AddressKey } from '../../../agent/mirror/address-key.ts';
import { EntryTable } from '../../../agent/mirror/entry-table.ts';
import { entryValue, NEVER } from '../../../agent/mirror/entry-value.ts';
import type { Finder } from '../../../agent/mirror/finder.ts';
import { IPV4_PREFIXES, IPV6_PREFIXES } from '../../../contract/address.ts';
import { longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

const STEPS = longRuns(300_000, 5000);
const ADDRESSES = 50_000;
const STRANGERS = 1000;

describe('the tables of all lengths', () => {
  for (const family of ['IPv4', 'IPv6'] as const)
    it(`have every network that an address is in, for ${family}`, () => {
      const random = new Random(7);
      const prefixes = family === 'IPv4' ? IPV4_PREFIXES : IPV6_PREFIXES;
      const entries = new AddressEntries();
      const all = new Map<string, number>();
      for (let step = 0; step < STEPS; step++) {
        const address = addressOf(random, family);
        const at = new AddressKey();
        at.readNetwork(address, prefixes[random.below(prefixes.length)] ?? 0);
        if (random.oneIn(2) && !all.has(at.subject)) {
          const value = entryValue(1 + step, 0);
          entries.admit(entries.add(at, value, NEVER, 0), 'deny');
          all.set(at.subject, value);
        }
        const expected = prefixes.flatMap((prefix) => {
          at.readNetwork(address, prefix);
          return all.get(at.subject) ?? [];
        });
        assert.deepEqual(valuesOf(entries, address), expected, `${address}`);
      }
    });

  it('that name networks are not searched for strangers, however many addresses near them are listed', (test) => {
    const random = new Random(3);
    const entries = new AddressEntries();
    const at = new AddressKey();
    const add = (address: Address, prefix: number) => {
      at.readNetwork(address, prefix);
      entries.admit(entries.add(at, entryValue(1, 0), NEVER, 0), 'deny');
    };
    const near = 0xf_ffff;
    for (let count = 0; count < ADDRESSES; count++) add(addressOf(random, 'IPv4', near), 32);
    for (const prefix of [28, 24, 20, 16, 12]) add(addressOf(random, 'IPv4', -1), prefix);
    const search = mock.method(EntryTable.prototype, 'search');
    test.after(() => search.mock.restore());
    for (let count = 0; count < STRANGERS; count++) valuesOf(entries, addressOf(random, 'IPv4', near));
    assert.equal(search.mock.callCount(), STRANGERS);
  });
});

/** Near others by as many bits as these have; without any mask in a few networks. */
function addressOf(random: Random, family: 'IPv4' | 'IPv6', mask = maskOf(12) | 0x3): Address {
  const word = () => random.below(2 ** 32) & mask;
  const address = new Address();
  address.words = family === 'IPv4' ? 1 : 4;
  address.a = word();
  if (family === 'IPv6') [address.b, address.c, address.d] = [word(), word(), word()];
  return address;
}

function valuesOf(entries: AddressEntries, address: Address): number[] {
  const found: number[] = [];
  const all: Finder = { needs: () => true, found: (value) => void found.push(value) };
  entries.search(address, all);
  return found;
}
