import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { winner } from '../../blocklist/precedence.ts';

const NOW = 1000;
const lists = ['manual', 'feed'];

describe('winner', () => {
  it('is an allow, however short its network and whatever its list', () => {
    const allow = entry('ip:10.0.0.0/8', 'feed', 'allow');
    assert.equal(winner([entry('ip:10.1.1.1', 'manual'), allow], lists, NOW), allow);
  });
  it('is the longest prefix of an address, whatever its list', () => {
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
  it('is the longest wildcard of a host or path, and the host or path itself before any', () => {
    for (const [wide, narrow, exact] of [
      ['host:*.example', 'host:*.shop.example', 'host:a.shop.example'],
      ['path:/*', 'path:/admin/*', 'path:/a'],
    ] as const) {
      const [ofWide, ofNarrow, ofExact] = [entry(wide, 'manual'), entry(narrow, 'feed'), entry(exact, 'feed')];
      assert.equal(winner([ofWide, ofNarrow], lists, NOW), ofNarrow);
      assert.equal(winner([ofExact, ofNarrow, ofWide], lists, NOW), ofExact);
    }
  });
  it('sees no prefix and no wildcard where a kind has none', () => {
    for (const [first, second] of [
      ['path:/a/24', 'path:/a/8'],
      ['header.x:/*', 'header.x:/a/*'],
      ['ua:*.example', 'ua:*.shop.example'],
    ] as const) {
      const ofFirst = entry(first, 'manual');
      assert.equal(winner([entry(second, 'feed'), ofFirst], lists, NOW), ofFirst);
    }
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
