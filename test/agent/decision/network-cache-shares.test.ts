import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Address } from '../../../agent/decision/address.ts';
import { AddressTable } from '../../../agent/decision/address-table.ts';
import { SCOPE } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

type Words = 1 | 4;
type Host = readonly [a: number, b: number, c: number, d: number];

const VISITOR = 1;
const STRANGER = 2;
/** Later than all, so that a stranger is never the oldest of a few. */
const KNOWN = { keptUntil: 9000, refreshable: false };

/** The one who is this number of one network. */
interface Network {
  readonly title: string;
  /** The most of a table that it may take once the table is full. */
  readonly share: number;
  host(number: number): Host;
}
const IPV4: readonly Network[] = [
  { title: 'an IPv4 /24', share: 1 / 32, host: (number) => [0xc6336400 | (number & 0xff), 0, 0, 0] },
  { title: 'an IPv4 /16', share: 1 / 8, host: (number) => [0xc6330000 | (number & 0xffff), 0, 0, 0] },
];
const IPV6: readonly Network[] = [
  { title: 'an IPv6 /64', share: 1 / 32, host: (number) => [0x20010db8, 0x10001, 0, number] },
  { title: 'an IPv6 /48', share: 1 / 32, host: (number) => [0x20010db8, 0x10000 | (number & 0xffff), number, ~number] },
  { title: 'an IPv6 /32', share: 1 / 8, host: (number) => [0x20010db8, Math.imul(number, 0x9e3779b1), 0, number] },
];

class Crowd {
  readonly table: AddressTable;
  readonly #address = new Address();
  readonly #capacity: number;
  readonly #words: Words;

  constructor(words: Words, capacity: number) {
    this.table = new AddressTable(words, capacity);
    this.#address.words = words;
    this.#words = words;
    this.#capacity = capacity;
  }

  /** Comes so many times; `put` is what a lookup does. */
  come(host: Host, times: number, value: number): void {
    this.#be(host);
    const freshUntil = value === VISITOR ? 1000 : 3000;
    for (let time = 0; time < times; time++)
      if (this.table.freshValue(this.#address, 1, 0) === 0)
        this.table.put(this.#address, { ...KNOWN, value, freshUntil }, 1);
  }

  knows(host: Host): boolean {
    this.#be(host);
    return this.table.find(this.#address) >= 0;
  }

  /** Somebody of a network that has few others. */
  visitor(number: number): Host {
    const spread = Math.imul(number, 0x9e3779b1);
    return this.#words === 1 ? [spread, 0, 0, 0] : [0x2a000000 + (spread >>> 8), spread << 24, number, 7];
  }

  /** How many of the first visitors are there. */
  visitors(count: number): number {
    return Array.from({ length: count }, (_, number) => this.visitor(number)).filter((host) => this.knows(host)).length;
  }

  flood({ host }: Network, times: number): void {
    for (let number = 0; number < 3 * this.#capacity; number++) this.come(host(number), times, STRANGER);
  }

  #be([a, b, c, d]: Host): void {
    const { words } = this.#address;
    Object.assign(this.#address, { words, a: a | 0, b: b | 0, c: c | 0, d: d | 0 });
  }
}

describe('a flood from one network', () => {
  for (const [words, networks] of [
    [1, IPV4],
    [4, IPV6],
  ] as const)
    for (const network of networks)
      for (const capacity of [500, 5000, ...(SCOPE === 'all' ? [40_000] : [])])
        for (const times of [1, 2]) {
          const title = `of ${network.title}, each ${times === 1 ? 'once' : 'twice'},`;

          it(`${title} evicts nothing from a table for ${capacity} that is not full`, () => {
            const crowd = new Crowd(words, capacity);
            const visitors = capacity / 10;
            for (let number = 0; number < visitors; number++) crowd.come(crowd.visitor(number), 1, VISITOR);
            crowd.flood(network, times);
            // Until the network has its share of a small table the places are anybody's, and visitors came once.
            const most = capacity < 5000 ? 64 : 0;
            assert.ok(crowd.visitors(visitors) >= visitors - most, `${crowd.visitors(visitors)} of ${visitors}`);
          });

          it(`${title} takes no more than its share of a full table for ${capacity} from returning addresses`, () => {
            // With one hash in a hundred a visitor's network shares the place of the flood's, and counts as it does.
            const lost = [1, 2, 3].map(() => {
              const crowd = new Crowd(words, capacity);
              for (let number = 0; number < capacity; number++) crowd.come(crowd.visitor(number), 2, VISITOR);
              crowd.flood(network, times);
              return capacity - crowd.visitors(capacity);
            });
            const [, middle = Number.NaN] = lost.toSorted((one, other) => one - other);
            assert.ok(middle <= Math.max(64, capacity * network.share) * 1.05, `lost ${lost.join(', ')}`);
          });

          it(`${title} is evicted from a table for ${capacity} by other addresses`, () => {
            const crowd = new Crowd(words, capacity);
            crowd.flood(network, times);
            const visitors = Math.floor(capacity / 2);
            for (let number = 0; number < visitors; number++) {
              crowd.come(crowd.visitor(number), 1, VISITOR);
              crowd.come(network.host(number), times, STRANGER);
            }
            const kept = crowd.visitors(visitors);
            assert.ok(kept >= visitors * 0.9, `${kept} of ${visitors}`);
          });
        }
});

describe('the share of a network', () => {
  it('is counted right, whatever comes and goes', () => {
    const random = new Random(3);
    const [, , provider] = IPV6 as [Network, Network, Network];
    const capacity = 2000;
    const crowd = new Crowd(4, capacity);
    for (let count = 0; count < 100_000; count++) {
      const isStranger = random.oneIn(2);
      const number = random.below(4 * capacity);
      crowd.come(isStranger ? provider.host(number) : crowd.visitor(number), 1 + random.below(2), isStranger ? 2 : 1);
    }
    const strangers = Array.from({ length: 4 * capacity }, (_, number) => provider.host(number));
    const kept = strangers.filter((host) => crowd.knows(host)).length;
    assert.equal(crowd.table.size, capacity);
    // Not a few less either: it is theirs, as long as others do not come more often.
    assert.ok(kept <= capacity * 0.125 * 1.05 && kept >= capacity * 0.125 * 0.8, `${kept} strangers`);
  });
});
