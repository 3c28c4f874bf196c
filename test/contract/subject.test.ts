import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatSubject,
  isKind,
  KINDS,
  lookupKeys,
  MAX_SUBJECT_BYTES,
  parseLookupSubject,
  parseSubject,
  SubjectError,
  specificity,
  subjectFromTraffic,
} from '../../contract/subject.ts';
import { longRuns } from '../support/scope.ts';

describe('parseSubject', () => {
  const canonical: readonly (readonly [string, string])[] = [
    ['203.0.113.7', 'ip:203.0.113.7'],
    ['ip:203.0.113.7/32', 'ip:203.0.113.7'],
    ['203.0.113.0/24', 'ip:203.0.113.0/24'],
    ['2001:DB8::1', 'ip:2001:db8::1'],
    ['ip:2001:DB8:0::/48', 'ip:2001:db8::/48'],
    ['::ffff:203.0.113.7', 'ip:203.0.113.7'],
    ['ip:::1', 'ip:::1'],
    ['host:Shop.Example', 'host:shop.example'],
    ['host:shop.example:8080', 'host:shop.example'],
    ['host:shop.example.', 'host:shop.example'],
    ['method:post', 'method:POST'],
    ['country:de', 'country:DE'],
    ['path:/A/b:c', 'path:/A/b:c'],
    ['header.x-api-key:Secret', 'header.x-api-key:Secret'],
    ['cookie.session:a=b', 'cookie.session:a=b'],
  ];
  for (const [text, expected] of canonical)
    it(`reads ${text} as ${expected}`, () => assert.equal(formatSubject(parseSubject(text)), expected));

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /no known kind/],
    ['nonsense', /no known kind/],
    ['evil:x', /no known kind/],
    ['kye:hunter2', /^"kye:…" is not an address.* no known kind/],
    ['host:', /no value after the colon/],
    ['host:a\r\nb', /control character/],
    ['host:a\u0000', /control character/],
    ['ip:shop.example', /not a valid IPv4 or IPv6 address/],
    ['010.0.0.1', /no known kind/],
    ['ip:fe80::1%eth0', /not a valid IPv4 or IPv6 address/],
    ['203.0.113.7/24', /did you mean 203\.0\.113\.0\/24\?/],
    ['2001:db8::1/32', /did you mean 2001:db8::\/32\?/],
    ['0.0.0.0/0', /would never match: IPv4 networks are looked up from \/8/],
    ['2001:db8::/80', /would never match: IPv6 networks/],
    [`path:/${'a'.repeat(MAX_SUBJECT_BYTES)}`, /bytes long, the limit is 1024/],
    [`path:/${'./'.repeat(10_000)}`, /is 20001 characters long: no request brings more than 16384/],
  ];
  for (const [text, message] of refused)
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(
        () => parseSubject(text),
        (error) => error instanceof SubjectError && message.test(error.message),
      );
    });

  it('reads its own canonical text as itself', () => {
    fc.assert(
      fc.property(typed, (text) => {
        const once = canonicalOrRefused(text);
        if (once !== undefined) assert.equal(canonicalOrRefused(once), once);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('subjectOf', () => {
  it('takes no network from traffic', () =>
    assert.equal(subjectFromTraffic('ip', Buffer.from('203.0.113.0/24')), undefined));
  it('takes no address that is none', () => assert.equal(subjectFromTraffic('ip', Buffer.from('unknown')), undefined));
  it('gives a canonical subject or nothing, whatever traffic brings', () => {
    fc.assert(
      fc.property(brought, ([kind, value]) => {
        const subject = subjectFromTraffic(kind, Buffer.from(value));
        if (subject) assert.deepEqual(parseLookupSubject(formatSubject(subject)), subject);
      }),
      { numRuns: longRuns(20_000) },
    );
  });
  it('is of no kind that nobody knows', () => assert.equal(subjectFromTraffic('evil', Buffer.from('x')), undefined));
  it('makes canonical what traffic brought', () => {
    assert.deepEqual(subjectFromTraffic('host', Buffer.from('SHOP.example:443')), {
      kind: 'host',
      value: 'shop.example',
    });
  });
});

describe('candidates', () => {
  it('are the address and its networks, longest first', () => {
    const texts = lookupKeys({ kind: 'ip', value: '203.0.113.7' });
    assert.deepEqual(texts.slice(0, 3), ['ip:203.0.113.7', 'ip:203.0.113.6/31', 'ip:203.0.113.4/30']);
    assert.equal(texts.at(-1), 'ip:203.0.0.0/8');
  });
  it('of a network are itself and the shorter ones', () => {
    const texts = lookupKeys({ kind: 'ip', value: '2001:db8:0:5::/64' });
    assert.deepEqual(texts.slice(0, 2), ['ip:2001:db8:0:5::/64', 'ip:2001:db8:0:4::/63']);
    assert.equal(texts.length, 49);
  });
  it('are the subject alone for kinds of which nothing is wider', () => {
    for (const subject of [
      { kind: 'ua', value: '*/*' },
      { kind: 'header.x', value: '/a/b' },
      { kind: 'asn', value: '64500' },
    ])
      assert.deepEqual(lookupKeys(subject), [formatSubject(subject)]);
  });
  it('are at most 50, each canonical and once, none more specific than the one before it', () => {
    fc.assert(
      fc.property(brought, ([kind, value]) => {
        const subject = subjectFromTraffic(kind, Buffer.from(value));
        if (!subject) return;
        const texts = lookupKeys(subject);
        assert.ok(texts.length >= 1 && texts.length <= (kind === 'ip' ? 50 : 9));
        assert.equal(texts[0], formatSubject(subject));
        texts.forEach((text, index) => {
          assert.equal(index === 0 ? formatSubject(parseLookupSubject(text)) : canonicalOrRefused(text), text);
          const before = texts[index - 1];
          if (before === undefined) return;
          assert.ok(specificity(text) <= specificity(before), `${text} after ${before}`);
          // names of one length are in the order of their text
          if (specificity(text) === specificity(before)) assert.ok(/^(ua|header)/.test(kind) && before < text);
        });
      }),
      { numRuns: 5000 },
    );
  });
});

describe('isKind', () => {
  it('knows the listed kinds and the named ones', () => {
    for (const kind of [...KINDS, 'header.x-a', 'cookie.sid']) assert.ok(isKind(kind), kind);
    for (const kind of ['', 'IP', '__proto__', 'header', 'header.', 'header.A', 'toString'])
      assert.ok(!isKind(kind), kind);
  });
});

const NASTY = [
  'a',
  'B',
  '.',
  '..',
  ':',
  '1',
  '/',
  '*',
  '*.',
  '/*',
  '%',
  '%2e',
  '%2F',
  '?',
  '[',
  ']',
  '::',
  'ü',
  '。',
  '@',
];
const brought = fc.tuple(
  fc.constantFrom(...KINDS, 'header.x-a', 'cookie.sid'),
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...NASTY) }),
    fc.string({ unit: fc.constantFrom(...NASTY, 'x'.repeat(60)), minLength: 100, maxLength: 400 }),
    fc.string({ unit: fc.constantFrom(...NASTY) }).map((text) => `/${text}`),
    fc.array(fc.constantFrom('a', 'b', 'ü', '0'), { maxLength: 140 }).map((labels) => labels.join('.')),
    fc.ipV4(),
    fc.ipV6(),
  ),
);
const typed = brought.map(([kind, value]) => `${kind}:${value}`);

function canonicalOrRefused(text: string): string | undefined {
  try {
    return formatSubject(parseSubject(text));
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}
