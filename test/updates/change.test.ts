import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Item } from '../../blocklist/store.ts';
import { Change, pageProblem } from '../../contract/updates.ts';
import { changeOf } from '../../updates/change.ts';
import { hostileEntry } from '../support/hostile-values.ts';

const PAGE = { cursor: 'a', provenAgeMs: null, now: 1, more: false, waitMs: 1 };

describe('a change', () => {
  it('never spoils a page, whatever is in the table', () => {
    let entries = 0;
    fc.assert(
      fc.property(hostileEntry, ({ subject = 'ip:192.0.2.1', ...item }: Item) => {
        const key = { subject: String(subject).slice(0, 1000) || 'a', list: 'manual' };
        const change = changeOf(key, { ...item, ...key }, () => {});
        assert.deepEqual(Change.parse(change), change);
        assert.equal(pageProblem({ ...PAGE, changes: [change] }, ['manual']), undefined);
        if (change.entry !== null) entries++;
      }),
      { numRuns: 2000 },
    );
    assert.ok(entries > 50, `${entries} entries`);
  });

  it('says that there is no entry where reading the item fails in an unforeseen way', () => {
    const key = { subject: 'ip:192.0.2.1', list: 'manual' };
    const item = {
      ...key,
      get action() {
        throw new Error('unforeseen\nof course');
      },
    };
    const reported: string[] = [];
    const change = changeOf(key, item, (_item, read) => 'problem' in read && reported.push(read.problem));
    assert.deepEqual([change, reported], [{ key, entry: null }, ['cannot be read: Error: unforeseen\\nof course']]);
  });
});
