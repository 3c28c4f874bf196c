import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredEntry } from '../../../functions/blocklist/entry.ts';
import { winner } from '../../../functions/blocklist/match.ts';

const NOW = 1000;
const lists = ['manual', 'feed'];

describe('winner', () => {
  it('is an allow, however short its network and whatever its list', () => {
    const allow = entry('ip:10.0.0.0/8', 'feed', 'allow');
    assert.equal(winner([entry('ip:10.1.1.1', 'manual'), allow], lists, NOW), allow);
  });
  it('is the longest prefix, whatever its list', () => {
    const address = entry('ip:10.1.1.1', 'feed');
    assert.equal(winner([entry('ip:10.1.1.0/24', 'manual'), address], lists, NOW), address);
  });
  it('is the first list where prefixes are equal', () => {
    const first = entry('ip:10.0.0.0/9', 'feed');
    assert.equal(winner([entry('ip:10.0.0.0/9', 'manual'), first], ['feed', 'manual'], NOW), first);
  });
  it('is what is only logged where nothing else is, and never else', () => {
    const logged = entry('ip:10.1.1.1', 'manual', 'log');
    assert.equal(winner([logged], lists, NOW), logged);
    for (const action of ['allow', 'deny', 'tarpit', 'drop', 'redirect', 'route', 'tag'] as const) {
      const enforced = entry('ip:10.0.0.0/8', 'feed', action);
      assert.equal(winner([logged, enforced], lists, NOW), enforced);
    }
  });
  it('sees no prefix in what is no address', () => {
    const first = entry('path:/a/8', 'manual');
    assert.equal(winner([entry('path:/a/24', 'feed'), first], lists, NOW), first);
  });
  it('is never expired', () => {
    const ended: StoredEntry = { ...entry('ip:10.1.1.1', 'manual', 'allow'), expiresAt: NOW };
    const next = entry('ip:10.0.0.0/8', 'feed');
    assert.equal(winner([ended, next], lists, NOW), next);
  });
  it('is never of a list that was not asked', () => {
    assert.equal(winner([entry('ip:10.1.1.1', 'other', 'allow')], lists, NOW), undefined);
  });
  it('is nothing where nothing is', () => assert.equal(winner([], lists, NOW), undefined));
});

function entry(subject: string, list: string, action: StoredEntry['action'] = 'deny'): StoredEntry {
  return { subject, list, action };
}
