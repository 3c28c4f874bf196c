import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SubjectVerdict } from '../../../agent/decision/decision.ts';
import { VerdictPool } from '../../../agent/decision/verdict-pool.ts';

const deny = (reason: string): SubjectVerdict => ({ action: 'deny', source: 'cache', reason, list: 'manual' });

describe('the pool of verdicts', () => {
  it('has one number and one object for equal ones, however many use it', () => {
    const pool = new VerdictPool();
    const numbers = Array.from({ length: 1000 }, (_, index) => pool.take(deny(`${index % 3}`)));
    assert.deepEqual(new Set(numbers).size, 3);
    assert.equal(pool.size, 3);
    assert.equal(pool.get(numbers[0] as number), pool.get(numbers[3] as number)); // a thousand of them
    assert.ok(!numbers.includes(0), '0 stands for nothing in the tables');
  });

  it('distinguishes a reason from a decision, and decisions by every property', () => {
    const pool = new VerdictPool();
    const all: SubjectVerdict[] = [
      'timeout',
      'overload',
      { action: 'allow', source: 'cache' },
      { action: 'allow', source: 'stale' },
      { action: 'allow', source: 'cache', list: 'manual', ofAddress: true },
      { action: 'allow', source: 'cache', list: 'manual', entry: 'ip:203.0.113.0/24' },
      { action: 'deny', source: 'cache', list: 'manual', ofAddress: true },
      { action: 'deny', source: 'cache', list: 'manual', ofAddress: true, status: 429 },
    ];
    const numbers = all.map((each) => pool.take(each));
    assert.equal(new Set(numbers).size, all.length);
    numbers.forEach((number, index) => {
      assert.deepEqual(pool.get(number), all[index]);
    });
  });

  it('keeps each as long as it is used, and no longer', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(5)), { maxLength: 200 }), (steps) => {
        const pool = new VerdictPool();
        const users = new Map<number, { readonly number: number; count: number }>();
        for (const [isTaken, which] of steps) {
          const known = users.get(which);
          if (isTaken) {
            const number = pool.take(deny(`${which}`));
            if (known !== undefined) assert.equal(number, known.number);
            users.set(which, { number, count: (known?.count ?? 0) + 1 });
          } else if (known !== undefined) {
            pool.release(known.number);
            known.count--;
            if (known.count === 0) users.delete(which);
          }
          assert.equal(pool.size, users.size);
          assert.equal(new Set([...users.values()].map(({ number }) => number)).size, users.size);
          for (const [index, { number }] of users) assert.deepEqual(pool.get(number), deny(`${index}`));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not grow while they come and go', () => {
    const pool = new VerdictPool();
    let highest = 0;
    const taken = Array.from({ length: 10 }, (_, index) => pool.take(deny(`first ${index}`)));
    for (let round = 0; round < 100_000; round++) {
      const at = round % taken.length;
      pool.release(taken[at] as number); // in bounds
      taken[at] = pool.take(deny(`${round}`));
      highest = Math.max(highest, taken[at]);
    }
    assert.equal(pool.size, 10);
    assert.equal(highest, 10, 'a number that nobody uses is given out again');
  });
});
