import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { type Difference, differences, isSame } from '../../../cli/bulk/difference.ts';
import { ExternalSort } from '../../../cli/bulk/external-sort.ts';

const ENTRY: StoredEntry = { subject: 'ip:203.0.113.7', list: 'feed', action: 'deny' };

describe('differences', () => {
  it('applied to what is present make what is wanted, and nothing of what is equal is among them', async () => {
    const side = fc.dictionary(fc.constantFrom('ip:1', 'ip:10', 'ip:2', 'key:"', 'key:\n'), fc.constantFrom('a', 'b'));
    await fc.assert(
      fc.asyncProperty(side, side, async (wanted, present) => {
        const [left, right] = [await sorterOf(wanted), await sorterOf(present)];
        const result = { ...present };
        let count = 0;
        for await (const one of differences(left.sorted(), right.sorted())) {
          apply(result, one);
          count++;
        }
        assert.deepEqual({ ...result }, { ...wanted });
        const names = new Set([...Object.keys(wanted), ...Object.keys(present)]);
        assert.equal(count, [...names].filter((name) => wanted[name] !== present[name]).length);
      }),
    );
  });
});

describe('an entry is the same as an item', () => {
  it('whoever wrote the item, and when', () => {
    assert.ok(isSame({ ...ENTRY, createdBy: 'a', createdAt: 'b' }, { ...ENTRY, createdBy: 'c' }));
  });

  it('that leaves out what is the default', () => {
    const { action: _action, ...item } = ENTRY;
    assert.ok(isSame(ENTRY, item));
  });

  it('whose end is less than a minute away', () => {
    assert.ok(isSame({ ...ENTRY, expiresAt: 1000 }, { ...ENTRY, expiresAt: 1060 }));
    assert.ok(!isSame({ ...ENTRY, expiresAt: 1000 }, { ...ENTRY, expiresAt: 1061 }));
    assert.ok(!isSame({ ...ENTRY, expiresAt: 1000 }, ENTRY));
    assert.ok(!isSame(ENTRY, { ...ENTRY, expiresAt: 1000 }));
  });

  it('that was written to last as long, until less than half of that is left', () => {
    const at = (seconds: number) => ({ createdAt: new Date(seconds * 1000).toISOString() });
    for (const lifetime of [10, 100, 3600, 86_400]) {
      const item = { ...ENTRY, ...at(1000), expiresAt: 1000 + lifetime };
      for (const age of [0, lifetime / 2 - 1, lifetime / 2 + 1, lifetime, 2 * lifetime]) {
        const wanted = { ...ENTRY, ...at(1000 + age), expiresAt: 1000 + age + lifetime };
        assert.equal(isSame(wanted, item), age <= lifetime / 2, `${age} of ${lifetime}`);
      }
      const longer = { ...ENTRY, ...at(1000), expiresAt: 1000 + 2 * lifetime + 60 };
      assert.ok(!isSame(longer, item), 'which is asked to last longer');
    }
  });

  it('only if everything that a source decides is', () => {
    for (const other of [{ action: 'allow' }, { reason: 'r' }, { status: 404 }, { vars: { body: 'b' } }, { note: 'n' }])
      assert.ok(!isSame(ENTRY, { ...ENTRY, ...other }), JSON.stringify(other));
    const vars = { body: 'b', location: '/' };
    assert.ok(isSame({ ...ENTRY, vars }, { ...ENTRY, vars: { location: '/', body: 'b' } }));
  });
});

async function sorterOf(reasons: Readonly<Record<string, string>>): Promise<ExternalSort<StoredEntry>> {
  const sorter = new ExternalSort<StoredEntry>();
  for (const [subject, reason] of Object.entries(reasons)) await sorter.add(subject, { ...ENTRY, subject, reason });
  return sorter;
}

function apply(result: Record<string, string>, one: Difference): void {
  if (one.kind === 'remove') delete result[String(one.was.subject)];
  else result[one.entry.subject] = String(one.entry.reason);
}
