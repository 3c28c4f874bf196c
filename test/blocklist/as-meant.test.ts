import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { entryAsMeant, readEntry } from '../../blocklist/as-meant.ts';
import { parseEntry } from '../../blocklist/entry.ts';
import { ACTIONS } from '../../contract/actions.ts';
import { isHarmless } from '../support/hostile-values.ts';

const KEY = { subject: 'ip:203.0.113.7', list: 'manual' };
const DENY = { ...KEY, action: 'deny' };
const NULL = { NULL: true };

/** What is typed beside the key, what it says, and a word of each correction. */
const MEANT: readonly (readonly [string, object, object, readonly RegExp[]])[] = [
  ['an action in capitals', { action: 'DENY' }, {}, [/^action "DENY" is read as "deny"$/]],
  ['another word for deny', { action: ' Block' }, {}, [/read as "deny"/]],
  [
    'an action of another case',
    { action: 'Tag', vars: { 'req.set.x-a': 'b' } },
    { action: 'tag', vars: { 'req.set.x-a': 'b' } },
    [/"tag"/],
  ],
  [
    'an end as text',
    { expiresAt: '1800000000' },
    { expiresAt: 1_800_000_000 },
    [/^expiresAt "1800000000" is read as 1800000000$/],
  ],
  ['an end with a fraction', { expiresAt: 1_800_000_000.5 }, { expiresAt: 1_800_000_001 }, [/read as 1800000001/]],
  ['an end in milliseconds', { expiresAt: 1_800_000_000_123 }, { expiresAt: 1_800_000_001 }, [/read as 1800000001/]],
  ['an end in milliseconds as text', { expiresAt: ' 1800000000000 ' }, { expiresAt: 1_800_000_000 }, [/read as/]],
  ['an end as a date', { expiresAt: '2027-01-15T08:00:00Z' }, { expiresAt: 1_800_000_000 }, [/read as 1800000000/]],
  [
    'an end as a date with a zone',
    { expiresAt: '2027-01-15T09:00:00+01:00' },
    { expiresAt: 1_800_000_000 },
    [/read as/],
  ],
  ['an end as a date without a zone', { expiresAt: '2027-01-15 08:00' }, { expiresAt: 1_800_000_000 }, [/read as/]],
  ['an end that is none', { expiresAt: 'tomorrow' }, {}, [/^expiresAt "tomorrow" is left out$/]],
  ['an end before 1970', { expiresAt: -1 }, {}, [/^expiresAt -1 is left out$/]],
  ['a status as text', { status: '429' }, { status: 429 }, [/^status "429" is read as 429$/]],
  ['a status that no deny has', { status: 302 }, {}, [/^status 302 is left out$/]],
  ['a status that is none', { status: { BOOL: true } }, {}, [/^status .* is left out$/]],
  [
    'a reason of two lines',
    { reason: 'abuse\r\nsee 17' },
    { reason: 'abuse see 17' },
    [/^reason .* is read as "abuse see 17"$/],
  ],
  ['a long reason', { reason: '😀'.repeat(300) }, { reason: '😀'.repeat(200) }, [/^reason /]],
  ['a number as reason', { reason: 17 }, { reason: '17' }, [/^reason 17 is read as "17"$/]],
  ['a set as reason', { reason: { SS: ['a'] } }, {}, [/^reason .* is left out$/]],
  ['a number as note', { note: 17 }, { note: '17' }, [/^note 17/]],
  ['a map as createdBy', { createdBy: { M: {} } }, {}, [/^createdBy .* is left out$/]],
  ['text as vars', { vars: 'body=x' }, {}, [/^vars is left out/]],
  ['a variable of another type', { vars: { body: 5 } }, { vars: { body: '5' } }, [/^vars.body is read as body$/]],
  [
    'a variable in capitals',
    { vars: { 'Res.Set.X-Why': 'abuse' } },
    { vars: { 'res.set.x-why': 'abuse' } },
    [/read as res.set.x-why$/],
  ],
  [
    'a variable that nobody obeys',
    { vars: { colour: 'red', body: 'no' } },
    { vars: { body: 'no' } },
    [/^vars.colour is left out/],
  ],
  ['too many variables', { vars: { body: 'x'.repeat(600) } }, {}, [/^vars is left out: .* the limit is 512$/]],
  ['a redirect to nowhere', { action: 'redirect' }, {}, [/^action redirect needs vars.location: read as deny$/]],
  [
    'a redirect to another host by mistake',
    { action: 'redirect', vars: { location: '//a' } },
    {},
    [/^vars.location is left out/, /read as deny$/],
  ],
  [
    'a redirect with the status of a deny',
    { action: 'redirect', status: 403, vars: { location: '/' } },
    { action: 'redirect', vars: { location: '/' } },
    [/^status 403/],
  ],
  ['NULL everywhere', { action: NULL, expiresAt: NULL, reason: NULL, status: NULL, vars: NULL, note: null }, {}, []],
  ['empty texts', { action: '', expiresAt: '', reason: ' ', note: '' }, {}, []],
];

describe('an item typed by hand', () => {
  for (const [what, typed, said, corrections] of MEANT)
    it(`says what is meant with ${what}`, () => {
      const read = readEntry({ ...KEY, ...typed });
      assert.ok('entry' in read, JSON.stringify(read));
      assert.deepEqual(read.entry, { ...DENY, ...said });
      assert.equal(read.corrections.length, corrections.length, read.corrections.join('\n'));
      for (const [index, correction] of corrections.entries()) assert.match(read.corrections[index] ?? '', correction);
    });

  for (const action of ['alow', 'deny or allow', 5, { SS: ['deny'] }, 'route'])
    it(`says nothing with action ${JSON.stringify(action)}`, () => {
      assert.ok('problem' in readEntry({ ...KEY, action }));
    });

  it('says nothing in a list that has no such name', () => {
    for (const list of ['Manual', 'my list', 5, undefined]) assert.ok('problem' in entryAsMeant({ ...KEY, list }));
  });

  it('has its subject in any spelling', () => {
    const spellings = {
      'ip:203.0.113.7': ['203.0.113.7', 'ip:203.0.113.7/32', ' IP:203.0.113.7 ', '::ffff:203.0.113.7'],
      'ip:203.0.113.0/24': ['203.0.113.7/24', 'ip:203.0.113.0/24 '],
      'ip:2001:db8::7': ['2001:DB8::7', 'ip:2001:0db8:0:0:0:0:0:7', '2001:db8::7/128'],
      'ip:2001:db8::/32': ['2001:db8::7/32', 'IP:2001:DB8::/32'],
      'host:shop.example': ['host:Shop.Example', 'HOST:shop.example.'],
    };
    for (const [subject, texts] of Object.entries(spellings))
      for (const text of texts) {
        const read = entryAsMeant({ ...KEY, subject: text });
        assert.ok('entry' in read, `${text}: ${JSON.stringify(read)}`);
        assert.deepEqual(read.entry, { ...DENY, subject });
        assert.match(read.corrections[0] ?? '', /^subject is not canonical, .* write "/);
        assert.ok('problem' in readEntry({ ...KEY, subject: text }), 'a lookup finds only the canonical form');
      }
    for (const subject of ['ip:203.0.113.300', 'ip:0.0.0.0/0', '', 'evil:x', 7])
      assert.ok('problem' in entryAsMeant({ ...KEY, subject }), String(subject));
  });

  it('is an allow only without a mistake', () => {
    const mistakes = [...MEANT.map(([, typed]) => typed), { subject: '203.0.113.7' }];
    for (const typed of mistakes) {
      const item = { ...KEY, ...typed, action: 'allow' };
      if ('entry' in parseEntry(item)) continue;
      assert.ok('problem' in entryAsMeant(item), JSON.stringify(item));
    }
    for (const action of ['ALLOW', 'Allow', ' allow', 'permit', 'whitelist'])
      assert.ok('problem' in entryAsMeant({ ...KEY, action }), action);
    assert.deepEqual(entryAsMeant({ ...KEY, action: 'allow' }), {
      entry: { ...KEY, action: 'allow' },
      corrections: [],
    });
  });

  it('is read as a valid entry or not at all, whatever it holds; what is right is read as it is', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('DENY', '403', '1800000000', 'allow', ...ACTIONS),
    );
    const anything = fc.oneof(
      texts,
      fc.integer(),
      fc.double(),
      fc.constant(NULL),
      fc.dictionary(texts, texts, { maxKeys: 3 }),
    );
    const names = ['action', 'reason', 'status', 'vars', 'expiresAt', 'note', 'createdBy'] as const;
    let corrected = 0;
    const typed = fc.record(Object.fromEntries(names.map((name) => [name, anything])), { requiredKeys: [] });
    fc.assert(
      fc.property(typed, (attributes) => {
        const item = { ...KEY, ...attributes };
        const [strict, read] = [parseEntry(item), entryAsMeant(item)];
        if ('entry' in strict) return assert.deepEqual(read, { entry: strict.entry, corrections: [] });
        if ('problem' in read) return assert.ok(isHarmless(read.problem), read.problem);
        corrected++;
        assert.deepEqual(parseEntry(read.entry), { entry: read.entry });
        assert.notEqual(read.entry.action, 'allow');
        for (const correction of read.corrections) assert.ok(isHarmless(correction), correction);
      }),
      { numRuns: 2000 },
    );
    assert.ok(corrected > 500, `only ${corrected} were corrected`);
  });
});
