import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { classHash, classText, ListDigest, NEVER } from '../../updates/digest.ts';

const DENY = classHash(classText({ action: 'deny', reason: 'abuse' }));

interface Kept {
  readonly key: string;
  readonly subject: string;
  readonly expiresAt: number | undefined;
  readonly of: { readonly low: number; readonly high: number };
}

const subject = fc.oneof(
  fc.ipV4().map((text) => `ip:${text}`),
  fc.constantFrom('ip:10.0.0.0/8', 'ip:10.0.0.0/9', 'ip:2001:db8::/32', 'ip:2001:db8::1', 'ip:2001:db8::2'),
  fc.constantFrom('host:a.example', 'host:b.example', 'ua:x y', '10.0.0.0/8', 'ip:10.0.0.0/08'),
);
const entry: fc.Arbitrary<Kept> = fc.record({
  key: subject,
  subject,
  expiresAt: fc.constantFrom(undefined, 0, 1, 1_790_000_000, NEVER - 1),
  of: fc.constantFrom(DENY, classHash(classText({ action: 'log' }))),
});

describe('the digest of a list', () => {
  it('is what the documented definition says, computed by its letter', () => {
    for (const [key, subject, expiresAt, words] of [
      ['ip:203.0.113.7', 'ip:203.0.113.7', undefined, [NEVER, 0xcb007107, 1024 + 32]],
      ['ip:198.51.100.0/24', 'ip:198.51.100.0/24', 1_790_000_000, [1_790_000_000, 0xc6336400, 1024 + 24]],
      ['ip:2001:db8::/32', 'ip:2001:db8::/32', 5e9, [NEVER, 0x20010db8, 0, 0, 0, 1536 + 32]],
      ['host:ä', 'host:ä', 0, [0, ...[...'host:ä'].map((unit) => unit.charCodeAt(0)), 6]],
      ['192.0.2.1', 'ip:192.0.2.1', undefined, [NEVER, ...Buffer.from('192.0.2.1\nip:192.0.2.1'), 22]],
    ] as const) {
      const digest = new ListDigest();
      digest.entry(1, key, subject, expiresAt, DENY);
      const seed = createHash('sha256').update('{"action":"deny","reason":"abuse"}').digest();
      const halves = [0, 4].map((at) => murmur3(seed.readUInt32BE(at), words).toString(16).padStart(8, '0'));
      assert.deepEqual(digest.state, { count: 1, digest: halves.join('') }, key);
    }
  });

  it('is the same in every order, and without what came and went', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 20 }),
        fc.array(entry, { maxLength: 5 }),
        fc.nat(),
        (all, gone, seed) => {
          const [one, other] = [new ListDigest(), new ListDigest()];
          for (const kept of all) add(one, kept);
          for (const kept of gone) add(other, kept);
          for (const kept of [...all].sort((a, b) => ((hashOf(a) ^ seed) > (hashOf(b) ^ seed) ? 1 : -1)))
            add(other, kept);
          for (const kept of gone) add(other, kept, -1);
          assert.deepEqual(other.state, one.state);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('tells one flipped, missing, doubled or extra entry', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), entry, fc.nat(19), (all, extra, at) => {
        const usual = digestOf(all);
        const index = at % all.length;
        const same = (a: Kept | undefined, b: Kept) => JSON.stringify(a) === JSON.stringify(b);
        assert.notEqual(digestOf(all.toSpliced(index, 1)), usual);
        assert.notEqual(digestOf([...all, extra]), usual);
        if (!same(all[index], extra)) assert.notEqual(digestOf(all.with(index, extra)), usual);
      }),
      { numRuns: 500 },
    );
  });

  it('has a class that does not depend on the order of fields, and depends on those of later versions', () => {
    const [one, other] = [
      { action: 'deny', vars: { b: '1', a: '2' }, subject: 'a' },
      { list: 'x', vars: { a: '2', b: '1' }, action: 'deny', expiresAt: 5 },
    ];
    assert.equal(classText(one), '{"action":"deny","vars":{"a":"2","b":"1"}}');
    assert.equal(classText(one), classText(other));
    assert.notEqual(classText({ ...one, later: [1] }), classText(one));
  });
});

function add(digest: ListDigest, { key, subject, expiresAt, of }: Kept, sign: 1 | -1 = 1): void {
  digest.entry(sign, key, subject, expiresAt, of);
}

function digestOf(all: readonly Kept[]): string {
  const digest = new ListDigest();
  for (const kept of all) add(digest, kept);
  return JSON.stringify(digest.state);
}

function hashOf(kept: Kept): number {
  return createHash('sha256').update(JSON.stringify(kept)).digest().readUInt32BE(0);
}

/** MurmurHash3 as its description has it, with BigInt. */
function murmur3(seed: number, words: readonly number[]): number {
  const mask = 0xffff_ffffn;
  const rotated = (value: bigint, bits: bigint) => ((value << bits) | (value >> (32n - bits))) & mask;
  let hash = BigInt(seed);
  for (const word of words) {
    const key = (rotated((BigInt(word) * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
    hash = (rotated(hash ^ key, 13n) * 5n + 0xe6546b64n) & mask;
  }
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(hash ^ (hash >> 16n));
}
