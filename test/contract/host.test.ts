import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidates, formatSubject, parseSubject, SubjectError, subjectOf } from '../../contract/subject.ts';

/** The longest name that DNS has: 127 labels of one character. */
const LONGEST = Array.from({ length: 127 }, () => 'a').join('.');

describe('a host', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['Shop.Example', 'shop.example'],
    ['shop.example:8080', 'shop.example'],
    ['shop.example:', 'shop.example'],
    ['shop.example.', 'shop.example'],
    ['SHOP.example..:80.:443', 'shop.example'],
    ['grüße.example', 'xn--gre-6ka8l.example'],
    ['GRÜSSE.example', 'xn--grsse-lva.example'],
    ['ｓhop。example:80', 'shop.example'],
    ['_acme.shop.example', '_acme.shop.example'],
    ['localhost', 'localhost'],
    ['203.0.113.7:80', '203.0.113.7'],
    ['[2001:DB8:0::1]:443', '[2001:db8::1]'],
    ['[2001:db8::1]:', '[2001:db8::1]'],
    ['2001:db8::1', '[2001:db8::1]'],
    ['[::ffff:203.0.113.7]', '203.0.113.7'],
    [LONGEST, LONGEST],
  ];
  for (const [text, host] of spellings)
    it(`${text.slice(0, 30)} is ${host.slice(0, 30)}, whoever writes it`, () => {
      assert.equal(typed(text), `host:${host}`);
      assert.deepEqual(subjectOf('host', text), { kind: 'host', value: host });
    });

  const wildcards: readonly (readonly [string, string])[] = [
    ['*.Shop.Example.', '*.shop.example'],
    ['*.grüße.example', '*.xn--gre-6ka8l.example'],
    ['*.example', '*.example'],
  ];
  for (const [text, host] of wildcards)
    it(`${text} is all of ${host}`, () => assert.equal(typed(text), `host:${host}`));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['https://shop.example/', /is no host: write shop\.example, or \*\.shop\.example/],
    ['shop.example/admin', /is no host/],
    ['*', /is no host/],
    ['*shop.example', /is no host/],
    ['www.*.example', /is no host/],
    ['.shop.example', /is no host/],
    ['a..example', /is no host/],
    ['shop example', /is no host/],
    ['sh%6Fp.example', /is no host/],
    ['ü/a', /is no host/],
    ['xn--ü.example', /is no host/],
    ['[fe80::1%25eth0]', /is no host/],
    ['[203.0.113.7]', /is no host/],
    [`${'a'.repeat(64)}.example`, /is no host/],
    ['010.0.0.1', /is no address: write four decimal numbers/],
    ['1.2.3', /is no address/],
    ['*.0.113.7', /is no address/],
    [`${LONGEST}.a`, /is 255 characters long, the limit is 253/],
    [`*.${LONGEST.slice(0, 199)}`, /would never match: wildcards have at most 99 labels/],
  ];
  for (const [text, message] of wrong)
    it(`${text.slice(0, 30)} is refused`, () => {
      assert.throws(
        () => typed(text),
        (error) => error instanceof SubjectError && message.test(error.message),
      );
    });

  const odd: readonly (readonly [string, string | undefined])[] = [
    ['a..shop.example', '*.shop.example'],
    ['.shop.example', '*.shop.example'],
    ['*.shop.example', '*.shop.example'],
    ['a/b.shop.example:80', '*.shop.example'],
    ['user@shop.example', '*.example'],
    [`${'a'.repeat(64)}.shop.example`, '*.shop.example'],
    [`${'a.'.repeat(5000)}shop.example`, `*.${'a.'.repeat(97)}shop.example`],
    [`${'b'.repeat(20_000)}.shop.example`, '*.shop.example'],
    [`${'c'.repeat(60)}.`.repeat(5).concat('shop.example'), `*.${`${'c'.repeat(60)}.`.repeat(3)}shop.example`],
    ['xn--ü.shop.example', '*.shop.example'],
    ['a_$.7', undefined],
    ['010.0.0.1', undefined],
    ['$', undefined],
    ['.', undefined],
    [':80', undefined],
    ['shop.example/', undefined],
  ];
  for (const [text, host] of odd)
    it(`${JSON.stringify(text.slice(0, 30))} of a request is ${host?.slice(0, 40) ?? 'nothing that can be listed'}`, () => {
      assert.equal(subjectOf('host', text)?.value, host);
      if (host !== undefined) assert.equal(typed(host), `host:${host}`);
    });

  it('is covered by itself and the wildcards above it, narrowest first', () => {
    assert.deepEqual(texts('a.shop.example'), ['host:a.shop.example', 'host:*.shop.example', 'host:*.example']);
    assert.deepEqual(texts('*.shop.example'), ['host:*.shop.example', 'host:*.example']);
    assert.deepEqual(texts('localhost'), ['host:localhost']);
    assert.deepEqual(texts('203.0.113.7'), ['host:203.0.113.7']);
    assert.deepEqual(texts('[2001:db8::1]'), ['host:[2001:db8::1]']);
  });

  it('of many labels is looked up itself and under the widest wildcards', () => {
    const all = texts(LONGEST);
    assert.equal(all.length, 100);
    assert.equal(all[0], `host:${LONGEST}`);
    assert.equal(all[1], `host:*.${LONGEST.slice(0, 197)}`);
    assert.equal(all.at(-1), 'host:*.a');
  });

  it('of hostile text takes no time to speak of', () => {
    for (const unit of ['.', ':', '1:', 'a.', '[:', 'ü.', 'ü', '\u00ad', ':1.'])
      assert.ok(tookMs(() => subjectOf('host', unit.repeat(200_000 / unit.length))) < 500, unit);
  });
});

function typed(value: string): string {
  return formatSubject(parseSubject(`host:${value}`));
}

function texts(value: string): string[] {
  return candidates({ kind: 'host', value });
}

function tookMs(act: () => unknown): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}
