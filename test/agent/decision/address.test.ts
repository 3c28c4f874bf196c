import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Address } from '../../../agent/decision/address.ts';
import { formatAddress, formatNetwork, masked } from '../../../contract/address.ts';
import { fromHex } from '../../support/spop/naive-codec.ts';

const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
const bytesOf = (length: number) =>
  fc.array(byte, { minLength: length, maxLength: length }).map((bytes) => Uint8Array.from(bytes));
const ipv4 = bytesOf(4);
const ipv6 = fc.oneof(
  bytesOf(16),
  bytesOf(4).map((bytes) => Uint8Array.from([...new Uint8Array(10), 0xff, 0xff, ...bytes])),
  bytesOf(4).map((bytes) => Uint8Array.from([...new Uint8Array(12), ...bytes])),
);

function read(bytes: Uint8Array, ipv6Prefix?: number): Address {
  const address = new Address(ipv6Prefix);
  // In the middle of other bytes, as in a frame.
  address.readBytes(Uint8Array.from([0xaa, ...bytes, 0xbb]), 1, 1 + bytes.length);
  return address;
}

const words = ({ words, a, b, c, d }: Address) => [words, ...[a, b, c, d].slice(0, words)];

describe('an address', () => {
  it('has the text that the contract gives its bytes, and reads that text as the same address', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (bytes) => {
        const address = read(bytes);
        assert.equal(`${address}`, formatAddress(bytes));
        const again = new Address();
        assert.ok(again.readText(formatAddress(bytes)));
        assert.deepEqual(words(again), words(address));
      }),
      { numRuns: 1000 },
    );
  });

  it('is told from every other: equal integers mean equal bytes', () => {
    fc.assert(
      fc.property(bytesOf(16), fc.nat(127), (bytes, bit) => {
        const other = bytes.slice();
        other[bit >> 3] = (other[bit >> 3] as number) ^ (0x80 >> (bit & 7)); // in bounds: 128 bits
        assert.notDeepEqual(words(read(bytes)), words(read(other)));
      }),
      { numRuns: 1000 },
    );
  });

  it('is IPv4 where HAProxy says ::ffff:a.b.c.d, whatever the prefix', () => {
    for (const prefix of [1, 48, 64, 128]) {
      const address = read(fromHex('00000000000000000000ffffcb007107'), prefix);
      assert.deepEqual(words(address), [1, 0xcb007107 | 0]);
      assert.equal(`${address}`, '203.0.113.7');
    }
  });

  it('is not IPv4 for one bit beside that', () => {
    const mapped = fromHex('00000000000000000000ffffcb007107');
    for (let bit = 0; bit < 96; bit++) {
      const other = mapped.slice();
      other[bit >> 3] = (other[bit >> 3] as number) ^ (0x80 >> (bit & 7)); // in bounds: 96 bits
      assert.equal(read(other).words, 4, `bit ${bit}`);
    }
  });

  for (const [prefix, expected] of [
    [1, '8000::/1'],
    [48, 'fedc:ba98:7654::/48'],
    [64, 'fedc:ba98:7654:3210::/64'],
    [65, 'fedc:ba98:7654:3210:8000::/65'],
    [127, 'fedc:ba98:7654:3210:ffff:ffff:ffff:fffe/127'],
    [128, 'fedc:ba98:7654:3210:ffff:ffff:ffff:ffff'],
  ] as const)
    it(`of IPv6 with a prefix of ${prefix} bits is ${expected}`, () => {
      assert.equal(`${read(fromHex('fedcba9876543210ffffffffffffffff'), prefix)}`, expected);
    });

  it('of IPv6 is the network of its prefix, for any prefix', () => {
    fc.assert(
      fc.property(ipv6, fc.integer({ min: 1, max: 128 }), (bytes, prefix) => {
        const isMapped = read(bytes).words === 1;
        const expected = isMapped ? formatAddress(bytes) : formatNetwork(masked(bytes, prefix));
        const address = new Address(prefix);
        address.readBytes(bytes, 0, bytes.length);
        assert.equal(`${address}`, expected);
        assert.ok(address.readText(formatAddress(bytes)));
        assert.equal(`${address}`, expected, 'from text');
      }),
      { numRuns: 1000 },
    );
  });

  it('of IPv4 is not touched by the prefix', () => {
    assert.equal(`${read(Uint8Array.of(203, 0, 113, 7), 1)}`, '203.0.113.7');
  });

  it('is not read from what is none, and stays what it was', () => {
    const address = read(Uint8Array.of(203, 0, 113, 7));
    for (const text of ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.4/32', '::1%eth0', ':::', 'shop.example', '5']) {
      assert.equal(address.readText(text), false, text);
      assert.equal(`${address}`, '203.0.113.7');
    }
  });

  it('is nothing before it is read and after it is cleared', () => {
    const address = new Address();
    assert.equal(address.words, 0);
    assert.ok(address.readText('2001:db8::1'));
    assert.equal(address.words, 4);
    address.clear();
    assert.equal(address.words, 0);
  });

  it('keeps nothing of the one before it', () => {
    const address = read(fromHex('20010db8000000000000000000000001'));
    address.readBytes(Uint8Array.of(1, 2, 3, 4), 0, 4);
    assert.equal(`${address}`, '1.2.3.4');
    address.readBytes(new Uint8Array(16), 0, 16);
    assert.equal(`${address}`, '::');
  });
});
