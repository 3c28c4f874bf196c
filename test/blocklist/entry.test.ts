import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isExpired, parseEntry } from '../../blocklist/entry.ts';

const good = { subject: 'ip:203.0.113.7', list: 'manual' };

describe('parseEntry', () => {
  it('reads the least that a person can type as a deny', () => {
    assert.deepEqual(parseEntry(good), { entry: { ...good, action: 'deny' } });
  });

  it('reads everything an entry can have', () => {
    const full = {
      ...{ subject: 'host:evil.example', list: 'tenant-a', action: 'deny', reason: 'grüße, abuse', status: 403 },
      ...{ note: 'seen by night', createdBy: 'me@here', createdAt: '2026-01-01T00:00:00Z', expiresAt: 1_800_000_000 },
    };
    assert.deepEqual(parseEntry(full), { entry: full });
  });

  it('ignores attributes of a later version, and what only the function says', () => {
    const later = { colour: 'red', shadow: 'tarpit' };
    assert.deepEqual(parseEntry({ ...good, ...later }), { entry: { ...good, action: 'deny' } });
  });

  it('takes a status where nobody looks at it: to ignore the entry would let pass or block', () => {
    for (const action of ['allow', 'drop', 'tag', 'log'])
      assert.deepEqual(parseEntry({ ...good, action, status: 403 }), { entry: { ...good, action, status: 403 } });
  });

  it('takes whatever people wrote for people, and what is not seen: to ignore the entry would unblock somebody', () => {
    for (const odd of ['a\nb', '\u001b[31ma', 'a\u009bb', 'a\u202eb', 'a\u200bb', '2026\u2028', 'x'.repeat(5000)])
      for (const name of ['note', 'createdBy', 'createdAt'])
        assert.deepEqual(parseEntry({ ...good, [name]: odd }), { entry: { ...good, action: 'deny', [name]: odd } });
    for (const subject of ['ua:a\u009bb', 'ua:a\u202eb', 'header.a:\u{1f468}\u200d\u{1f469}'])
      assert.deepEqual(parseEntry({ ...good, subject }), { entry: { ...good, subject, action: 'deny' } });
  });

  const problems: readonly (readonly [string, object, RegExp])[] = [
    ['no subject', { subject: undefined }, /^subject is missing$/],
    ['an unknown kind', { subject: 'evil:x' }, /^subject "evil:…" is not an address/],
    ['a bare address', { subject: '203.0.113.7' }, /^subject is not canonical .* write "ip:203.0.113.7"$/],
    ['upper case', { subject: 'host:Evil.example' }, /write "host:evil.example"$/],
    ['a secret as it is', { subject: 'key:beta' }, /is never looked up: write "key:sha256:[0-9a-f]{64}"$/],
    ['a path spelled otherwise', { subject: 'path:/%61dmin//*' }, /is never looked up: write "path:\/admin\/\*"$/],
    ['a wildcard inside a host', { subject: 'host:www.*.example' }, /write shop\.example, or \*\.shop\.example/],
    ['host bits', { subject: 'ip:203.0.113.7/24' }, /did you mean 203.0.113.0\/24\?$/],
    ['a folder that is too deep', { subject: `path:${'/a'.repeat(8)}/*` }, /would never match: it has 9 levels/],
    [
      'a wildcard of too many labels',
      { subject: 'host:*.a.b.c.d.e.f.g.h.i' },
      /would never match: a host is looked up/,
    ],
    ['a length that is never looked up', { subject: 'ip:0.0.0.0/0' }, /would never match/],
    ['a list with spaces', { list: 'my list' }, /^list must be 1 to 64 of a-z/],
    ['an unknown action', { action: 'ban' }, /^action "ban" is none of allow, deny/],
    ['an action in upper case', { action: 'Deny' }, /^action "Deny" is none of/],
    ['a line break in the reason', { reason: 'a\r\nx: y' }, /^reason must be one line/],
    ['a NUL in the reason', { reason: 'a\u0000' }, /^reason must be one line/],
    ['a long reason', { reason: 'a'.repeat(201) }, /^reason must be one line of at most 200/],
    ['a number as reason', { reason: 5 }, /^reason must be a string, not 5$/],
    ['a status that no rule obeys', { status: 418 }, /^status 418 is none of 400, 401/],
    ['a status typed as text', { status: '403' }, /^status "403" is none of 400, 401/],
    ['an end typed as text', { expiresAt: '1800000000' }, /^expiresAt must be a number, not a string$/],
    ['half a second', { expiresAt: 1.5 }, /^expiresAt must be a whole number, not 1.5$/],
    ['an end before 1970', { expiresAt: -1 }, /^expiresAt must be at least 0$/],
    ['milliseconds', { expiresAt: 1_800_000_000_000 }, /past the year 9999: write seconds/],
    ['a redirect to nowhere', { action: 'redirect', vars: { path: '/' } }, /^action redirect needs vars.location$/],
    ['a route to nowhere', { action: 'route' }, /^action route needs vars.backend or vars.split$/],
    [
      'a redirect with the status of a deny',
      { action: 'redirect', vars: { location: '/' }, status: 403 },
      /^status 403 is none of 301, 302/,
    ],
    [
      'a deny with the status of a redirect',
      { status: 302 },
      /^status 302 is none of 400, .* which action deny can have$/,
    ],
    ['variables that are not a map', { vars: 'path=/' }, /^vars must be a map, not a string$/],
    ['a variable of another type', { vars: { path: 5 } }, /^vars.path must be a string, not 5$/],
    ['a variable that nobody obeys', { vars: { colour: 'red' } }, /^vars.colour is none of location, backend/],
    ['a line break in a header', { vars: { 'req.set.x': 'a\r\nb: c' } }, /^vars.req.set.x must be one line of ASCII/],
    ['a set of reasons', { reason: { SS: ['a'] } }, /^reason must be a string, not an object$/],
  ];
  for (const [what, change, problem] of problems)
    it(`refuses ${what}`, () => {
      const parsed = parseEntry({ ...good, ...change });
      assert.ok('problem' in parsed);
      assert.match(parsed.problem, problem);
    });

  it('refuses a value that is not an item', () => {
    for (const item of [undefined, null, 'x', []]) assert.ok('problem' in parseEntry(item));
  });
});

describe('isExpired', () => {
  it('is true from the second of expiresAt on', () => {
    assert.ok(!isExpired({ expiresAt: 100 }, 99.999));
    assert.ok(isExpired({ expiresAt: 100 }, 100));
  });
  it('is never true without expiresAt', () => assert.ok(!isExpired({}, Number.MAX_SAFE_INTEGER)));
});
