import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  coveringNetworks,
  formatAddress,
  formatNetwork,
  masked,
  parseAddress,
  parseNetwork,
} from '../../contract/address.ts';
import { longRuns } from '../support/scope.ts';

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

describe('parseAddress', () => {
  const good: readonly (readonly [string, string])[] = [
    ['203.0.113.7', 'cb007107'],
    ['0.0.0.0', '00000000'],
    ['255.255.255.255', 'ffffffff'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['2001:DB8:0:0:0:0:0:1', '20010db8000000000000000000000001'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '20010db8000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['::ffff:203.0.113.7', 'cb007107'],
    ['::FFFF:cb00:7107', 'cb007107'],
    ['0:0:0:0:0:ffff:203.0.113.7', 'cb007107'],
    ['64:ff9b::203.0.113.7', '0064ff9b0000000000000000cb007107'],
  ];
  for (const [text, expected] of good) it(`reads ${text}`, () => assert.equal(hex(parseAddress(text)), expected));

  const bad = [
    ...['', ' ', '1', '1.2', '1.2.3', '1.2.3.', '.1.2.3.4', '1.2.3.4.5', '1.2.3.256', '1.2.3.-4', '+1.2.3.4'],
    ...['010.0.0.1', '1.2.3.04', '0x7f.0.0.1', '2130706433', '0x7f000001', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n'],
    ...['fe80::1%eth0', '::1%', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', 'g::1', '[::1]'],
    ...['::1.2.3', '::1.2.3.256', '1.2.3.4::', '1.2.3.4:80', '١.٢.٣.٤', '::1 ', '203.0.113.7/32'],
  ];
  for (const text of bad) it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));

  for (const text of ['::01.2.3.4', '::0x10.2.3.4', '::ffff:010.1.2.3', '64:ff9b::010.1.2.3'])
    it(`refuses the octal or hexadecimal ${text}`, () => {
      assert.equal(parseAddress(text), undefined);
    });
  it('reads what ipaddr.js reads, and nothing else', () => {
    const piece = fc.constantFrom(
      ...['::', ':', '0', '1', 'ffff', 'db8:', '1:', '.', '255', '256', '12', '1.2.3.4', '::ffff:', '/', '%', 'g', 'F'],
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (typed) => assert.equal(hex(parseAddress(typed)), hex(bytesByLibrary(typed)), typed)),
      { numRuns: longRuns(20_000) },
    );
  });

  it('reads ::1.2.3.4 as the IPv6 address that it is', () => {
    assert.equal(hex(parseAddress('::1.2.3.4')), hex(parseAddress('::102:304')));
  });
});

describe('formatAddress', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['2001:0DB8::0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ];
  for (const [given, canonical] of forms)
    it(`writes ${given} as ${canonical}`, () => {
      assert.equal(formatAddress(parseAddress(given) ?? new Uint8Array()), canonical);
    });

  it('is read back as the same bytes, whatever they are', () => {
    fc.assert(
      fc.property(addressBytes, (bytes) => {
        const text = formatAddress(bytes);
        assert.equal(formatAddress(parseAddress(text) ?? new Uint8Array()), text);
      }),
    );
  });
});

describe('parseNetwork', () => {
  const good: readonly (readonly [string, string])[] = [
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::1/128', '::1'],
    ['::ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['::ffff:203.0.113.7/128', '203.0.113.7'],
  ];
  for (const [text, canonical] of good)
    it(`reads ${text} as ${canonical}`, () => {
      const network = parseNetwork(text);
      assert.ok(network);
      assert.equal(formatNetwork(network), canonical);
    });

  const bad = [
    '1.2.3.4',
    '1.2.3.4/',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/08',
    '1.2.3.4/+8',
    '1.2.3.4/8/8',
    '/8',
    '::/129',
  ];
  for (const text of [...bad, '1.2.3.4/24 ', '1.2.3.4/255.255.255.0', '::ffff:1.2.3.4/24', '1.2.3/24', '::/1e1'])
    it(`refuses ${text}`, () => assert.equal(parseNetwork(text), undefined));
});

describe('coveringNetworks', () => {
  it('agrees with a comparison bit by bit', () => {
    fc.assert(
      fc.property(addressBytes, (bytes) => {
        const lengths = bytes.length === 4 ? range(32, 8) : [128, ...range(64, 16)];
        const expected = lengths.map((length) => formatNetwork({ bytes: firstBits(bytes, length), prefix: length }));
        assert.deepEqual(coveringNetworks({ bytes, prefix: bytes.length * 8 }), expected);
      }),
    );
  });

  it('asks 25 keys for IPv4 and 50 for IPv6', () => {
    assert.equal(coveringNetworks({ bytes: new Uint8Array(4), prefix: 32 }).length, 25);
    assert.equal(coveringNetworks({ bytes: new Uint8Array(16), prefix: 128 }).length, 50);
  });

  it('of a network begin with itself', () => {
    const bytes = Uint8Array.of(203, 0, 112, 0);
    assert.deepEqual(coveringNetworks({ bytes, prefix: 20 }).slice(0, 2), ['203.0.112.0/20', '203.0.96.0/19']);
    assert.equal(coveringNetworks({ bytes, prefix: 20 }).at(-1), '203.0.0.0/8');
  });

  it('leaves the given bytes as they are', () => {
    const bytes = Uint8Array.of(203, 0, 113, 7);
    coveringNetworks({ bytes, prefix: 32 });
    masked(bytes, 8);
    assert.deepEqual(bytes, Uint8Array.of(203, 0, 113, 7));
  });
});

/** Any address but the IPv4-mapped, which are IPv4 when they are written. */
const addressBytes = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .filter((bytes) => !hex(bytes)?.startsWith('00000000000000000000ffff'));

function range(from: number, to: number): number[] {
  const all: number[] = [];
  for (let length = from; length >= to; length--) all.push(length);
  return all;
}

/** The naive way: a string of bits, cut and filled up with zeros. */
function firstBits(bytes: Uint8Array, length: number): Uint8Array {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const kept = bits.slice(0, length).padEnd(bits.length, '0');
  return Uint8Array.from((kept.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The same by ipaddr.js, which takes octal numbers in a dotted tail, zone ids, and `::a.b.c.d` for `::ffff:a.b.c.d`. */
function bytesByLibrary(text: string): Uint8Array | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return Uint8Array.from(ipaddr.IPv4.parse(text).toByteArray());
  const tail = text.slice(text.lastIndexOf(':') + 1);
  const isDotted = ipaddr.IPv4.isValidFourPartDecimal(tail);
  if (!text.includes(':') || text.includes('%') || (tail.includes('.') && !isDotted)) return undefined;
  const quad = isDotted ? Buffer.from(ipaddr.IPv4.parse(tail).toByteArray()).toString('hex') : '';
  const groups = isDotted ? `${text.slice(0, -tail.length)}${quad.slice(0, 4)}:${quad.slice(4)}` : text;
  if (!ipaddr.IPv6.isValid(groups)) return undefined;
  const parsed = ipaddr.IPv6.parse(groups);
  return Uint8Array.from((parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed).toByteArray());
}
