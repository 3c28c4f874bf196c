import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import { AddressHash, type Hash } from '../../../agent/decision/address-hash.ts';
import { AddressTable, MAX_PROBES } from '../../../agent/decision/address-table.ts';
import { hasNewer, longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

type Words = 1 | 4;
interface Known {
  readonly value: number;
  readonly freshUntil: number;
  readonly keptUntil: number;
  readonly refreshable: boolean;
}

/** How many are compared when one has to go: in a table for so many the rules can be seen. */
const RIVALS = 8;
const FOR_EVER = 1_000_000;

function addressOf(a: number, b = 0, c = 0, d = 0, words: Words = 1): Address {
  const address = new Address();
  address.words = words;
  address.a = a | 0;
  address.b = b | 0;
  address.c = c | 0;
  address.d = d | 0;
  return address;
}

const ipv4 = (number: number) => addressOf(number);
const numbered = (value: number, freshUntil = FOR_EVER): Known => ({
  value,
  freshUntil,
  keptUntil: FOR_EVER + 1,
  refreshable: false,
});

function knownOf(table: AddressTable, slot: number): Known {
  return {
    value: table.value(slot),
    freshUntil: table.freshUntil(slot),
    keptUntil: table.keptUntil(slot),
    refreshable: table.isRefreshable(slot),
  };
}

/** A table and a Map that are told the same; every value is used once, so that what a put pushes out has a name. */
class Pair {
  readonly table: AddressTable;
  readonly #map = new Map<string, { address: Address; known: Known }>();
  readonly #names = new Map<number, string>();
  #values = 0;
  lost = 0;

  constructor(words: Words, capacity: number, hash: Hash = new AddressHash()) {
    this.table = new AddressTable(words, capacity, hash);
  }

  put(address: Address, freshUntil: number, refreshable: boolean): void {
    const value = ++this.#values;
    const known = { value, freshUntil, keptUntil: freshUntil + 100, refreshable };
    const name = nameOf(address);
    const before = this.#map.get(name);
    const gone = this.table.put(address, known, 0);
    if (before !== undefined) assert.equal(gone, before.known.value);
    else if (gone !== 0) {
      this.#map.delete(this.#names.get(gone) as string); // every value was put under a name
      this.lost++;
    }
    this.#names.set(value, name);
    this.#map.set(name, { address, known });
  }

  remove(address: Address): void {
    const name = nameOf(address);
    assert.equal(this.table.remove(address), this.#map.get(name)?.known.value ?? 0);
    this.#map.delete(name);
  }

  get size(): number {
    return this.#map.size;
  }

  has(address: Address): boolean {
    return this.#map.has(nameOf(address));
  }

  /** Both know the same. */
  check(): void {
    assert.equal(this.table.size, this.#map.size);
    for (const { address, known } of this.#map.values()) {
      const slot = this.table.find(address);
      assert.ok(slot >= 0, 'an address is lost');
      assert.deepEqual(knownOf(this.table, slot), known);
    }
  }
}

const nameOf = ({ words, a, b, c, d }: Address) => [a, b, c, d].slice(0, words).join();

function randomAddress(random: Random, words: Words): Address {
  // Few different words, so that addresses differ in one of them, and zeros are common.
  const word = () => (random.oneIn(3) ? random.below(3) : random.below(2 ** 32));
  return addressOf(word(), word(), word(), word(), words);
}

describe('a table of addresses', () => {
  for (const words of [1, 4] as const) {
    const family = words === 1 ? 'IPv4' : 'IPv6';

    it(`knows exactly what a Map knows that is told the same, for ${family}`, () => {
      const put = fc.record({ seed: fc.nat(60), freshUntil: fc.integer({ min: 1, max: 1000 }), flag: fc.boolean() });
      fc.assert(
        fc.property(fc.array(put, { maxLength: 150 }), (puts) => {
          const pair = new Pair(words, 1000);
          for (const { seed, freshUntil, flag } of puts) {
            const address = randomAddress(new Random(seed), words);
            assert.equal(pair.table.find(address) >= 0, pair.has(address));
            pair.put(address, freshUntil, flag);
          }
          pair.check();
        }),
        { numRuns: longRuns(200) },
      );
    });

    it(`loses nothing, also by being doubled, for ${family}`, () => {
      const random = new Random(words);
      const pair = new Pair(words, 1_000_000);
      for (let count = 1; count <= 100_000; count++) {
        pair.put(randomAddress(random, words), random.below(1000) + 1, random.oneIn(2));
        if ([4096, 4097, 4098, 5000, 8193, 16_385, 40_000].includes(count)) pair.check();
      }
      pair.check();
      assert.ok(pair.size > 90_000 * (words === 1 ? 0.6 : 0.9), `${pair.size} different ones`);
      assert.equal(pair.lost, 0);
    });

    it(`never takes one ${family} address for another that differs in one bit`, () => {
      const random = new Random(7 + words);
      const pair = new Pair(words, 100_000);
      const addresses = Array.from({ length: 300 }, () => randomAddress(random, words));
      for (const address of addresses) pair.put(address, 10, false);
      for (const { a, b, c, d } of addresses)
        for (let bit = 0; bit < words * 32; bit++) {
          const flip = (word: number, index: number) => (bit >> 5 === index ? word ^ (1 << (bit & 31)) : word);
          const near = addressOf(flip(a, 0), flip(b, 1), flip(c, 2), flip(d, 3), words);
          assert.equal(pair.table.find(near) >= 0, pair.has(near));
        }
    });
  }

  it('knows 0.0.0.0 and :: only when they were put there', () => {
    for (const words of [1, 4] as const) {
      const table = new AddressTable(words, 10);
      const zero = addressOf(0, 0, 0, 0, words);
      assert.equal(table.find(zero), -1);
      assert.equal(table.put(zero, numbered(9), 0), 0);
      assert.deepEqual(knownOf(table, table.find(zero)), numbered(9));
    }
  });

  it('has a hash of its own, so that nobody can choose addresses that share a place in all of them', () => {
    const places = () => {
      const table = new AddressTable(1, 1000);
      for (let number = 0; number < 100; number++) table.put(ipv4(number), numbered(1), 0);
      return Array.from({ length: 100 }, (_, number) => table.find(ipv4(number))).join();
    };
    assert.notEqual(places(), places());
  });

  it('keeps value, times and flags apart up to their largest', () => {
    const table = new AddressTable(4, 10);
    const address = addressOf(-1, -1, -1, -1, 4);
    const known = { value: 2 ** 29 - 1, freshUntil: 2 ** 31 - 2, keptUntil: 2 ** 31 - 1, refreshable: true };
    table.put(address, known, 0);
    const slot = table.find(address);
    table.use(slot);
    table.use(slot);
    assert.deepEqual(knownOf(table, slot), known);
    assert.equal(table.freshValue(address, known.freshUntil - 5, 5), known.value);
    assert.equal(table.freshValue(address, known.freshUntil - 4, 5), -known.value, 'to be refreshed');
    assert.deepEqual(knownOf(table, slot), { ...known, refreshable: false });
    assert.equal(table.freshValue(address, known.freshUntil - 4, 5), known.value, 'once');
  });

  it('returns what went for a put, and counts every address once', () => {
    const table = new AddressTable(1, 10);
    assert.equal(table.put(ipv4(1), numbered(5), 0), 0);
    assert.equal(table.put(ipv4(1), numbered(6), 0), 5);
    assert.equal(table.put(ipv4(2), numbered(6), 0), 0);
    assert.equal(table.size, 2);
  });
});

describe('a table whose hash is known to an attacker', () => {
  const FIRST_SHIFT = 19;
  const LAST = 8191;
  const hashes: Record<string, (a: number) => number> = {
    'one place': () => 0,
    'the last place': () => LAST << FIRST_SHIFT,
    'neighbours round the end': (a) => (LAST - 20 + (a % 40)) << FIRST_SHIFT,
    'half of the places': (a) => (LAST - 2000 + (a % 4000)) << FIRST_SHIFT,
  };
  for (const [where, of] of Object.entries(hashes))
    it(`mixes up nothing and looks at ${MAX_PROBES} slots at most, with all addresses at ${where}`, () => {
      const random = new Random(where.length);
      const pair = new Pair(1, 20_000, { ofIpv4: of, ofIpv6: of, ofNetwork: of });
      for (let count = 0; count < 30_000; count++) {
        const address = ipv4(random.below(12_000));
        assert.equal(pair.table.find(address) >= 0, pair.has(address));
        if (random.oneIn(4)) pair.remove(address);
        else pair.put(address, 1 + random.below(1000), false);
        assert.equal(pair.table.size, pair.size);
      }
      pair.check();
      assert.ok(pair.lost > 0, 'they take the places of each other');
      if (where.endsWith('place')) assert.equal(pair.size, MAX_PROBES);
    });

  it('loses no address by being doubled if many are stored around its end', () => {
    // 512 that begin here fill their window, so that of those who begin 200 slots on some stand behind the end.
    const [first, second] = [LAST - 600, LAST - 400];
    const homeOf = (a: number) => (a < 512 ? first : a < 712 ? second : 400 + (a % 7000));
    const of = (a: number) => homeOf(a) << FIRST_SHIFT;
    const pair = new Pair(1, 20_000, { ofIpv4: of, ofIpv6: of, ofNetwork: of });
    for (let a = 0; a < 7000; a++) pair.put(ipv4(a), 1000, false);
    pair.check();
    assert.equal(pair.lost, 0);
  });
});

describe('eviction from a full table', () => {
  it('takes an expired entry, else one that was not used, else the oldest of a few', () => {
    const step = fc.record({
      do: fc.constantFrom('put', 'put', 'use', 'wait'),
      which: fc.nat(13),
      lifetime: fc.integer({ min: 1, max: 60 }),
      fresh: fc.nat(1000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.nat(), (steps, first) => {
        const table = new AddressTable(1, RIVALS);
        const model = new Map<number, Known & { readonly number: number; used: boolean }>();
        let now = 0;
        steps.forEach(({ do: what, which, lifetime, fresh }, index) => {
          const number = first + which;
          if (what === 'wait') now += lifetime;
          if (what === 'use') {
            const slot = table.find(ipv4(number));
            if (slot < 0) return;
            table.use(slot);
            const one = [...model.values()].find((each) => each.number === number);
            assert.ok(one);
            one.used = true;
          }
          if (what !== 'put') return;
          // Different times for all, so that there is one oldest.
          const freshUntil = fresh * 1000 + index;
          const known = { value: index + 1, freshUntil, keptUntil: now + lifetime, refreshable: false };
          const there = [...model.values()];
          const before = there.find((each) => each.number === number);
          const gone = table.put(ipv4(number), known, now);
          assert.ok(allowed(there, before, now).includes(gone), `${gone} went`);
          if (before === undefined && gone !== 0 && there.every(({ used, keptUntil }) => used && keptUntil > now))
            for (const each of there) each.used = false;
          model.delete(gone);
          model.set(known.value, { ...known, number, used: before !== undefined });
        });
        for (const { number, used: _used, ...known } of model.values())
          assert.deepEqual(knownOf(table, table.find(ipv4(number))), known);
        assert.equal(table.size, model.size);
      }),
      { numRuns: longRuns(1000) },
    );
  });

  it('takes the oldest if all were used, and then the next oldest of those not used since', () => {
    const table = new AddressTable(1, RIVALS);
    const put = (number: number) => table.put(ipv4(number), numbered(number, 1000 + number), 0);
    for (let number = 1; number <= RIVALS; number++) {
      assert.equal(put(number), 0);
      table.use(table.find(ipv4(number)));
    }
    assert.equal(put(9), 1);
    table.use(table.find(ipv4(2)));
    assert.equal(put(10), 3);
    assert.equal(put(11), 4);
  });

  it('takes an expired entry before all others, even if it was used and is the newest', () => {
    for (let over = 1; over <= RIVALS; over++) {
      const table = new AddressTable(1, RIVALS);
      for (let number = 1; number <= RIVALS; number++) {
        const known = { ...numbered(number, 100 - number), keptUntil: number === over ? 10 : 11 };
        table.put(ipv4(number), known, 0);
        if (number === over) table.use(table.find(ipv4(number)));
      }
      assert.equal(table.put(ipv4(9), numbered(9), 10), over);
    }
  });

  it('does not take an entry that was put again: that is a use', () => {
    const table = new AddressTable(1, RIVALS);
    const put = (number: number) => table.put(ipv4(number), numbered(number, 1000 + number), 0);
    for (let number = 1; number <= RIVALS; number++) put(number);
    assert.equal(put(1), 1);
    assert.equal(put(9), 2);
  });

  it('loses no other entry, however full the table is', () => {
    for (const words of [1, 4] as const)
      for (const capacity of [1, 7, 8, 9, 100, 4096, 4097, 9000]) {
        const random = new Random(capacity + words);
        const pair = new Pair(words, capacity);
        const numbers = 3 * capacity;
        for (let count = 0; count < 6 * capacity + 100; count++) {
          const address = addressOf(random.below(numbers), 5, 6, 7, words);
          const slot = pair.table.find(address);
          assert.equal(slot >= 0, pair.has(address));
          if (slot >= 0 && random.oneIn(2)) pair.table.use(slot);
          else pair.put(address, 1 + random.below(1000), false);
          assert.ok(pair.size <= capacity);
        }
        pair.check();
        assert.equal(pair.size, capacity);
      }
  });

  /** The values of which one may go, 0 for none; any of those past their time is as good as another. */
  function allowed(
    there: readonly (Known & { used: boolean })[],
    before: Known | undefined,
    now: number,
  ): readonly number[] {
    if (before !== undefined) return [before.value];
    const over = there.filter(({ keptUntil }) => keptUntil <= now).map(({ value }) => value);
    if (there.length < RIVALS) return [0, ...over];
    if (over.length > 0) return over;
    const unused = there.filter(({ used }) => !used);
    const [oldest] = (unused.length > 0 ? unused : there).toSorted((one, other) => one.freshUntil - other.freshUntil);
    return [oldest?.value ?? -1];
  }
});

describe('a flood of new addresses', () => {
  for (const words of hasNewer ? ([1, 4] as const) : ([4] as const))
    it(`of a million does not evict ${words === 1 ? 'IPv4' : 'IPv6'} addresses that return`, () => {
      const visitors = Array.from({ length: 2000 }, (_, index) => addressOf(index, index, 1, 1, words));
      const table = new AddressTable(words, 20_000);
      const comeTwice = (visitor: Address) => {
        table.put(visitor, numbered(1), 0);
        table.use(table.find(visitor));
      };
      visitors.forEach(comeTwice);
      let missed = 0;
      const stranger = addressOf(0, 0, 2, 2, words);
      for (let count = 0; count < 1_000_000; count++) {
        stranger.a = (count + 0x10000) | 0;
        table.put(stranger, numbered(2, FOR_EVER - 1000 + (count % 2000)), 0);
        if (count % 5 > 0) continue;
        const visitor = visitors[(count / 5) % visitors.length] as Address; // in bounds
        const slot = table.find(visitor);
        if (slot >= 0) table.use(slot);
        else {
          missed++;
          comeTwice(visitor);
        }
      }
      // Eight rivals that all are visitors, once in a long while.
      assert.ok(missed <= 100, `${missed} of 200000 visits found nothing`);
      assert.equal(table.size, 20_000);
    });

  for (const capacity of [1, 100, 3000, 10_000, 50_000])
    for (const comeAgain of [false, true])
      it(`that ${comeAgain ? 'all come' : 'never come'} again leaves a table for ${capacity} at ${capacity}`, () => {
        const table = new AddressTable(1, capacity);
        for (let number = 0; number < 20_000 + 4 * capacity; number++) {
          table.put(ipv4(number * 7), numbered(1), 0);
          if (comeAgain) table.use(table.find(ipv4(number * 7)));
        }
        assert.equal(table.size, capacity);
      });
});
