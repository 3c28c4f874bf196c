import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { formatAddress, formatNetwork, masked, parseAddress, parseNetwork } from '../../contract/address.ts';
import { SegmentLine } from '../../contract/mirror.ts';
import type { Change } from '../../contract/updates.ts';
import { classText } from '../../updates/digest.ts';
import { Fold } from '../../updates/fold.ts';
import { type PackedSegment, segmentsOf } from '../../updates/segment.ts';
import { SegmentError, SegmentReader } from '../../updates/segment-reader.ts';
import { longRuns } from '../support/scope.ts';

const LIST = 'manual';

const subject = fc.oneof(
  fc.ipV4().map((text) => `ip:${text}`),
  fc.ipV6().map((text) => `ip:${text}`),
  fc.tuple(fc.nat(255), fc.constantFrom(8, 9, 16, 31)).map(([first, prefix]) => `ip:${first}.128.0.0/${prefix}`),
  fc.string({ minLength: 1, unit: 'binary' }).map((text) => `ua:${text.toWellFormed()}`),
);
const change: fc.Arbitrary<Change> = fc
  .record({
    key: subject,
    other: fc.option(subject),
    action: fc.constantFrom('deny' as const, 'log' as const),
    reason: fc.constantFrom('abuse', 'ä\u0022', ''),
    expiresAt: fc.option(fc.constantFrom(0, 1_790_000_000, 253_402_300_799), { nil: undefined }),
  })
  .map(({ key, other, ...entry }) => ({
    key: { subject: key, list: LIST },
    entry: { ...withoutUndefined(entry), subject: other ?? key, list: LIST, action: entry.action },
  }));

describe('a segment', () => {
  it('has what was folded, in lines of the contract, and the same digest', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const fold = folded(changes);
        const segments = [...segmentsOf(LIST, fold.entriesOf(LIST))];
        assert.deepEqual(read(segments).entriesOf(LIST), fold.entriesOf(LIST));
        assert.deepEqual(read(segments).states, fold.states);
        for (const segment of segments) {
          const text = textOf(segment);
          assert.equal(createHash('sha256').update(text).digest('hex'), segment.digest);
          for (const line of text.toString().split('\n').slice(0, -1)) SegmentLine.parse(JSON.parse(line));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is small, whatever is in it', () => {
    const noise = (n: number) => createHash('sha512').update(String(n)).digest('base64');
    const fold = folded(
      Array.from({ length: 4000 }, (_, n) => ({
        key: { subject: `ua:${noise(n)}`, list: LIST },
        entry: { subject: `ua:${noise(n)}`, list: LIST, action: 'deny', reason: noise(-n) },
      })),
    );
    const segments = [...segmentsOf(LIST, fold.entriesOf(LIST))];
    for (const { packed, bytes } of segments) {
      assert.ok(packed.length <= 380_000, `${packed.length}`);
      assert.ok(bytes <= 1024 * 1024);
    }
    assert.deepEqual(read(segments).states, fold.states);
  });

  it('is read as far as it is one, in steps of any length, and never breaks its reader', () => {
    const scraps = [
      '"ip:1.2.3.4"',
      '["ip:1.2.3.4",5]',
      '["a",null,"b"]',
      '{"action":"deny"}',
      '{',
      '"ip:01.2.3.4"',
      '',
    ];
    const more = [
      '["ip:1.2.3.4",5',
      '"ip:256.1.1.1"',
      '"ip:1.2.3.4/33"',
      '["a",-1]',
      '[]',
      '["a",1,"b",2]',
      '7',
      'null',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...scraps, ...more)), fc.integer({ min: 1, max: 3 }), (lines, step) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const told = [Number.POSITIVE_INFINITY, step].map((lines) => toldBy(bytes, lines));
        assert.deepEqual(told[0], told[1]);
      }),
      { numRuns: 200 },
    );
  });

  for (const [text, problem] of [
    ['"ip:192.0.2.1"\n', 'line 1 is an entry before the first class'],
    ['{"action":"deny"}\n"ip:192.0.2.1"', 'line 2 has no end'],
    ['{"action":"deny"}\n["a",1.5]\n', 'line 2 is neither a class nor an entry'],
    ['{"action":"deny"}\n["a",1,"b",2]\n', 'line 2 is neither a class nor an entry'],
    ['{"action":"deny"}\n"ip:192.0.2.1\n', 'line 2 is not JSON'],
  ] as const)
    it(`is refused: ${problem}`, () => {
      assert.throws(() => toldBy(Buffer.from(text), 10, true), new SegmentError(problem));
    });

  it('has words for an IPv6 address or network if, and only if, its text is the canonical one', () => {
    const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(1, 0xffff), fc.nat(0xffff));
    const groups = fc.array(group, { minLength: 8, maxLength: 8 });
    const written = fc.oneof(
      groups.map((all) => all.map((one) => one.toString(16)).join(':')),
      fc.tuple(groups, fc.nat(8), fc.nat(8)).map(([all, from, count]) => {
        const hex = all.map((one) => one.toString(16));
        return `${hex.slice(0, from).join(':')}::${hex.slice(from + count).join(':')}`;
      }),
      groups.map((all) => formatAddress(Buffer.from(all.flatMap((one) => [one >> 8, one & 255])))),
      fc.constantFrom(
        '::',
        '::1',
        '1::',
        ':',
        ':::',
        '1:',
        '::ffff:1.2.3.4',
        '1:2:3:4:5:6:7:8:9',
        'A::',
        '01::',
        '12345::',
      ),
    );
    const tail = fc.oneof(
      fc.constant(''),
      fc.nat(130).map((length) => `/${length}`),
      fc.constant('/064'),
    );
    const kinds = new Set<unknown>();
    fc.assert(
      fc.property(written, tail, fc.option(fc.nat()), (text, tail, expiresAt) => {
        const subject = `ip:${text}${tail}`;
        const line = JSON.stringify(expiresAt === null ? subject : [subject, expiresAt]);
        const told: unknown[][] = [];
        const sink = {
          ofClass() {},
          ipv4: (...said: unknown[]) => void told.push(said),
          ipv6: (words: Int32Array, ...said: unknown[]) =>
            void told.push([Buffer.from(words.map(bigEndian).buffer), ...said]),
          entry: (...said: unknown[]) => void told.push(said),
        };
        new SegmentReader(Buffer.from(`{}\n${line}\n`), sink).read(2);
        const bytes = parseAddress(text);
        const network = tail === '' && bytes ? { bytes, prefix: bytes.length * 8 } : parseNetwork(`${text}${tail}`);
        const isCanonical =
          network?.bytes.length === 16 && formatNetwork(masked(network.bytes, network.prefix)) === subject.slice(3);
        const end = expiresAt ?? undefined;
        const expected = isCanonical ? [Buffer.from(network.bytes), network.prefix, end] : [subject, subject, end];
        kinds.add(isCanonical);
        if (network?.bytes.length !== 4) assert.deepEqual(told, [expected], line);
      }),
      { numRuns: longRuns(300_000, 3000) },
    );
    assert.equal(kinds.size, 2);
  });

  it('has numbers for canonical addresses only', () => {
    const lines = [
      '"ip:1.2.3.4"',
      '"ip:1.2.3.4/32"',
      '"ip:1.2.3.4/24"',
      '"ip:01.2.3.4"',
      '"ip:1.2.3"',
      '"ip:1.0.0.0/8"',
    ];
    const told = toldBy(Buffer.from(`{}\n${lines.join('\n')}\n`), 10);
    assert.deepEqual(
      told.map(([what]) => what),
      ['class', 'ipv4', 'entry', 'entry', 'entry', 'entry', 'ipv4'],
    );
  });
});

function folded(changes: readonly Change[]): Fold {
  const fold = new Fold();
  for (const change of changes) fold.apply(change);
  return fold;
}

function textOf({ packed }: PackedSegment): Buffer {
  return gunzipSync(packed);
}

function read(segments: readonly PackedSegment[]): Fold {
  const fold = new Fold();
  for (const segment of segments) {
    let entry: object = {};
    const add = (key: string, subject: string, expiresAt: number | undefined) => {
      const of = fold.classOf(classText(entry));
      fold.set({ subject: key, list: LIST }, fold.entryOf(of, subject === key ? undefined : subject, expiresAt));
    };
    const reader = new SegmentReader(textOf(segment), {
      ofClass: (received) => {
        entry = received;
      },
      ipv4: (address, prefix, expiresAt) => {
        const bytes = Buffer.alloc(4);
        bytes.writeInt32BE(address);
        const subject = `ip:${formatNetwork({ bytes, prefix })}`;
        add(subject, subject, expiresAt);
      },
      entry: add,
    });
    assert.equal(reader.read(Number.POSITIVE_INFINITY), false);
  }
  return fold;
}

function toldBy(bytes: Uint8Array, lines: number, isStrict = false): unknown[][] {
  const told: unknown[][] = [];
  const reader = new SegmentReader(bytes, {
    ofClass: (...said) => void told.push(['class', ...said]),
    ipv4: (...said) => void told.push(['ipv4', ...said]),
    entry: (...said) => void told.push(['entry', ...said]),
  });
  try {
    while (reader.read(lines));
  } catch (error) {
    if (isStrict || !(error instanceof SegmentError)) throw error;
    told.push([error.message]);
  }
  return told;
}

function bigEndian(word: number): number {
  return Buffer.from(Int32Array.of(word).buffer).readInt32BE();
}

function withoutUndefined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
