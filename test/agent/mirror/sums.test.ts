import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Mirror } from '../../../agent/mirror/mirror.ts';
import type { Change } from '../../../contract/updates.ts';
import { Fold } from '../../../updates/fold.ts';
import { segmentsOf } from '../../../updates/segment.ts';
import { hasNewer, longRuns } from '../../support/scope.ts';
import { Random } from '../../support/spop/random.ts';

const LISTS = ['manual', 'feed'];
/** Enough for chunks to be split, but in the usual run. */
const WRITES = hasNewer ? 80_000 : 8000;
const NONE = { count: 0, digest: '0'.repeat(16) };

const address = fc.constantFrom('203.0.113.7', '203.0.113.8', '2001:db8::1', '2001:db8:1:1::');
const network = fc.constantFrom(
  '203.0.113.0/24',
  '203.0.0.0/8',
  '203.0.113.6/31',
  '2001:db8::/32',
  '2001:db8:1:1::/64',
  '0.0.0.0/0',
  '::/8',
);
const subject = fc.oneof(
  fc.oneof(address, network).map((text) => `ip:${text}`),
  fc.constantFrom('host:a.example', 'host:*.example', 'path:/x/*', 'ua:ä', 'header.x:1', 'captcha:new', 'odd'),
);
/** Keys are the subjects, or other spellings of these or of others. */
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constant((of: string) => of) },
  fc.constant((of: string) => ` ${of}`),
  fc.constant((of: string) => of.slice(3)),
  fc.constant(() => 'ip:203.0.113.7'),
);
const entry = fc.constantFrom<Omit<NonNullable<Change['entry']>, 'subject' | 'list'> & { later?: unknown }>(
  { action: 'deny' },
  { action: 'deny', reason: 'abuse' },
  { action: 'allow', later: { b: 1, a: [2, { d: 1, c: 2 }] } },
  { action: 'tag', vars: { path: '/' }, later: 'x'.repeat(5000) },
);
const change: fc.Arbitrary<Change> = fc
  .record({
    subject,
    key,
    list: fc.constantFrom(...LISTS),
    entry: fc.option(entry, { freq: 3 }),
    expiresAt: fc.constantFrom(undefined, undefined, 0, 1_800_000_000, 4_294_967_294, 4_294_967_295, 253_402_300_799),
  })
  .map(({ subject, key, list, entry, expiresAt }) => ({
    key: { subject: key(subject) || 'a', list },
    entry: entry && { ...entry, subject, list, ...(expiresAt !== undefined && { expiresAt }) },
  }));

describe('the sums of a mirror', () => {
  it('are what the backend computes, whether it is told segments or changes, and again when computed anew', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat({ max: 40 }), (changes, told) => {
        const fold = new Fold();
        for (const one of changes.slice(0, told)) fold.apply(one);
        const mirror = new Mirror({ lists: LISTS }, 1000);
        for (const list of LISTS)
          for (const { packed } of segmentsOf(list, fold.entriesOf(list)))
            for (const _ of mirror.fill(list, gunzipSync(packed)));
        for (const one of changes.slice(told)) {
          fold.apply(one);
          mirror.apply(one);
        }
        assert.deepEqual(Object.fromEntries(LISTS.map((list) => [list, mirror.sumOf(list)])), statesOf(fold));
        assert.deepEqual([...runOf(mirror.recompute())], []);
      }),
      { numRuns: longRuns(50_000, 300) },
    );
  });

  it('are computed anew while changes come', () => {
    const random = new Random(1);
    const mirror = new Mirror({ lists: LISTS }, 100_000);
    const fold = new Fold();
    const write = () => {
      const n = random.below(WRITES);
      const subject =
        [`ip:10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, `ua:${n}`, `ip:10.1.${n & 255}.0/24`][n % 3] ?? '';
      const isSpelled = random.oneIn(50);
      const key = { subject: isSpelled ? ` ${subject}` : subject, list: random.pick(LISTS) };
      const reason = String(random.below(5));
      const change = {
        key,
        entry: random.oneIn(3) ? null : { subject, list: key.list, action: 'deny' as const, reason },
      };
      mirror.apply(change);
      fold.apply(change);
    };
    for (let count = 0; count < WRITES; count++) write();
    let slices = 0;
    for (let round = 0; round < 3; round++) {
      const run = mirror.recompute();
      let next = run.next();
      for (; next.done !== true; next = run.next(), slices++) for (let count = 0; count < 100; count++) write();
      assert.deepEqual(next.value, []);
    }
    assert.ok(slices > 3, `${slices} slices`);
    assert.deepEqual(Object.fromEntries(LISTS.map((list) => [list, mirror.sumOf(list)])), statesOf(fold));
  });
});

function statesOf(fold: Fold) {
  const { states } = fold;
  return Object.fromEntries(LISTS.map((list) => [list, states[list] ?? NONE]));
}

function runOf<Result>(slices: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = slices.next();
    if (done === true) return value;
  }
}
