import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictCache } from '../../../agent/decision/cache.ts';
import { LookupSubject } from '../../../agent/decision/lookup-subject.ts';
import { CacheFullWarning } from '../../../agent/lifecycle/cache-full-warning.ts';
import { HandClock } from '../../support/clock.ts';

const MESSAGE = 'cache is full: verdicts are evicted before they expire, see cache.maxEntries';

/** A cache of ten subjects, watched; `fill` puts so many new ones of a kind into it. */
function watched(subjectOf: (index: number) => string) {
  const clock = new HandClock(1_790_000_000_000);
  const times = { allowTtlSeconds: 3600, denyTtlSeconds: 3600, policyTtlSeconds: 1 };
  const open = () => new VerdictCache({ maxEntries: 10, ...times }, { ifErrorSeconds: 0, revalidateSeconds: 0 }, clock);
  const current = { settings: { cache: { maxEntries: 10 } }, cache: open() };
  const lines: (object & { message: string })[] = [];
  const log = { warn: (fields: object, message: string) => void lines.push({ ...fields, message }) };
  const watch = new CacheFullWarning(() => current, clock, log);
  let count = 0;
  const fill = (more: number) => {
    for (let index = 0; index < more; index++)
      current.cache.keepVerdict(LookupSubject.parse(subjectOf(count++)), null, 3600);
  };
  return { clock, current, lines, watch, fill, open };
}

describe('a full cache', () => {
  for (const [kind, subjectOf] of [
    ['IPv4', (index: number) => `ip:198.51.100.${index}`],
    ['IPv6', (index: number) => `ip:2001:db8::${(index + 1).toString(16)}`],
    ['hosts', (index: number) => `host:h${index}.example`],
  ] as const)
    it(`is told once with how many went, then every ten minutes while more go: ${kind}`, () => {
      const { clock, lines, fill } = watched(subjectOf);
      fill(10);
      clock.advance(60_000);
      assert.deepEqual(lines, []);
      fill(3);
      clock.advance(10_000);
      assert.deepEqual(lines, [{ entries: 10, maxEntries: 10, evicted: 3, message: MESSAGE }]);
      for (let turn = 0; turn < 59; turn++) {
        fill(1);
        clock.advance(10_000);
      }
      assert.equal(lines.length, 1);
      clock.advance(10_000);
      assert.deepEqual(lines[1], { entries: 10, maxEntries: 10, evicted: 59, message: MESSAGE });
      clock.advance(3_600_000);
      assert.equal(lines.length, 2);
    });

  it('is not told for subjects that were past their time', () => {
    const { clock, lines, fill } = watched((index) => `host:h${index}.example`);
    fill(10);
    clock.advance(3_600_000);
    fill(10);
    clock.advance(10_000);
    assert.deepEqual(lines, []);
  });

  it('is told after a flush too', () => {
    const { clock, current, lines, fill } = watched((index) => `ip:198.51.100.${index}`);
    fill(15);
    clock.advance(10_000);
    current.cache.clear();
    fill(12);
    clock.advance(600_000);
    assert.deepEqual(
      lines.map((line) => (line as unknown as { evicted: number }).evicted),
      [5, 2],
    );
  });

  it('is told of the cache of a reload too, and no more once it is stopped', () => {
    const { clock, current, lines, watch, fill, open } = watched((index) => `ip:198.51.100.${index}`);
    fill(12);
    clock.advance(10_000);
    current.cache = open();
    fill(12);
    clock.advance(600_000);
    assert.deepEqual(
      lines.map((line) => (line as unknown as { evicted: number }).evicted),
      [2, 2],
    );
    watch.stop();
    fill(12);
    clock.advance(3_600_000);
    assert.equal(lines.length, 2);
  });
});
