import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseEntry, toContractEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { hostileEntry, isHarmless } from '../support/hostile-values.ts';

const VARIABLE = /^(location|backend|split|path|query|body|(req|res)\.(set|add|del)\.[a-z0-9][a-z0-9-]{0,31})$/;

describe('an entry with anything typed into it', () => {
  it('is answered with harmless text and known names only, or ignored', () => {
    let kept = 0;
    fc.assert(
      fc.property(hostileEntry, (item) => {
        const parsed = parseEntry(item);
        if ('problem' in parsed) return;
        kept++;
        const { subject, list, action, reason = '', vars = {} } = toContractEntry(parsed.entry);
        for (const text of [list, action, reason, ...Object.values(vars)])
          assert.ok(isHarmless(text), JSON.stringify(text));
        assert.doesNotMatch(subject, /[\0\r\n]/);
        for (const name of Object.keys(vars)) assert.match(name, VARIABLE);
      }),
      { numRuns: 3000 },
    );
    assert.ok(kept > 100, `only ${kept} of them were entries at all`);
  });

  it('is told in the log as one harmless line', () => {
    fc.assert(
      fc.property(hostileEntry, (item) => {
        const parsed = parseEntry(item as Item);
        if ('problem' in parsed) assert.ok(isHarmless(parsed.problem) && parsed.problem.length < 1200, parsed.problem);
      }),
      { numRuns: 1000 },
    );
  });
});
