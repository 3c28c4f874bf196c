import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatSubject,
  lookupKeys,
  parseSubject,
  SubjectError,
  subjectFromTraffic,
} from '../../../contract/subject.ts';
import { longRuns } from '../../support/scope.ts';

/** The longest name that DNS has: 127 labels of one character. */
const LONGEST = Array.from({ length: 127 }, () => 'a').join('.');

describe('a host', () => {
  /** As people and requests alike may write it. */
  const spellings: readonly (readonly [string, string])[] = [
    ['Shop.Example', 'shop.example'],
    ['shop.example:8080', 'shop.example'],
    ['shop.example:', 'shop.example'],
    ['shop.example:00080', 'shop.example'],
    ['shop.example.', 'shop.example'],
    ['SHOP.example.:443', 'shop.example'],
    ['XN--GRE-6ka8l.example', 'xn--gre-6ka8l.example'],
    ['_acme.shop.example', '_acme.shop.example'],
    ['a--b.-.example', 'a--b.-.example'],
    ['localhost', 'localhost'],
    ['203.0.113.7:80', '203.0.113.7'],
    ['203.0.113.7.', '203.0.113.7'],
    ['[2001:DB8:0::1]:443', '[2001:db8::1]'],
    ['[2001:db8::1]:', '[2001:db8::1]'],
    ['[::ffff:203.0.113.7]', '203.0.113.7'],
    [LONGEST, LONGEST],
  ];
  for (const [text, host] of spellings)
    it(`${text.slice(0, 30)} is ${host.slice(0, 30)}, whoever writes it`, () => {
      assert.equal(typed(text), `host:${host}`);
      assert.equal(brought(text), host);
    });

  /** As people write it and no request does: browsers send what DNS has. */
  const typedOnly: readonly (readonly [string, string])[] = [
    ['grüße.example', 'xn--gre-6ka8l.example'],
    ['GRÜSSE.example', 'xn--grsse-lva.example'],
    ['ｓhop。example:80', 'shop.example'],
    ['bücher。', 'xn--bcher-kva'],
    ['sh\u00adop.example', 'shop.example'],
    ['1.\u0627', '1.xn--mgb'],
    ['2001:db8::1', '[2001:db8::1]'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
  ];
  for (const [text, host] of typedOnly)
    it(`${text} is ${host} in an entry, and no host in a request`, () => {
      assert.equal(typed(text), `host:${host}`);
      assert.equal(brought(text), undefined);
    });

  const wildcards: readonly (readonly [string, string])[] = [
    ['*.Shop.Example.', '*.shop.example'],
    ['*.grüße.example', '*.xn--gre-6ka8l.example'],
    ['*.example', '*.example'],
  ];
  for (const [text, host] of wildcards)
    it(`${text} is all of ${host}`, () => assert.equal(typed(text), `host:${host}`));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['https://shop.example/', /is not a valid host: write shop\.example, or \*\.shop\.example/],
    ['shop.example/admin', /is not a valid host/],
    ['*', /is not a valid host/],
    ['*shop.example', /is not a valid host/],
    ['www.*.example', /is not a valid host/],
    ['.shop.example', /is not a valid host/],
    ['a..example', /is not a valid host/],
    ['shop example', /is not a valid host/],
    ['sh%6Fp.example', /is not a valid host/],
    ['ü/a', /is not a valid host/],
    ['xn--ü.example', /is not a valid DNS name \(UTS 46\)/],
    ['a\u200d.example', /is not a valid DNS name/],
    ['١٢٣.example.أa', /is not a valid DNS name/],
    ['xn--a.example', /has a label beginning with xn-- that is not valid IDNA: write the name in its own script/],
    ['shop.example..', /is not a valid host/],
    ['shop.example:80:443', /is not a valid host/],
    ['shop.example:65536', /is not a valid host/],
    ['１２７.１', /is not a valid DNS name/],
    ['127.1', /is not a valid address/],
    ['0x7f.1', /is not a valid address/],
    ['0x7F000001', /is not a valid address/],
    ['0177.0.0.1', /is not a valid address/],
    ['[fe80::1%25eth0]', /is not a valid host/],
    ['[203.0.113.7]', /is not a valid host/],
    [`${'a'.repeat(64)}.example`, /is not a valid host/],
    ['010.0.0.1', /is not a valid address: write four decimal numbers/],
    ['1.2.3', /is not a valid address/],
    ['*.0.113.7', /is not a valid address/],
    [`${LONGEST}.a`, /is 255 characters long, the limit is 253/],
    [`*.${LONGEST.slice(0, 199)}`, /would never match: a host is looked up under wildcards of up to 8 labels/],
  ];
  for (const [text, message] of wrong)
    it(`${text.slice(0, 30)} is refused`, () => {
      assert.throws(
        () => typed(text),
        (error) => error instanceof SubjectError && message.test(error.message),
      );
    });

  const odd: readonly string[] = [
    ...['a..shop.example', '.shop.example', 'shop.example..', '*.shop.example', 'a/b.shop.example:80', 'a b.example'],
    ...[
      'user@shop.example',
      'shop.example:,other.example',
      'shop.example:a.other.example',
      'shop.example,other.example',
    ],
    ...['shop.example/', 'shop.example?', 'shop.example#', 'shop.example\\', '%65vil.example', 'sh\u00adop.example'],
    ...['shop.example:80:443', 'shop.example:http', 'shop.example:-1', 'shop.example:+80', 'shop.example:0x50'],
    ...['shop.example:65536', 'shop.example:000080', ' shop.example', 'shop.example ', 'http://shop.example'],
    ...[
      `${'a'.repeat(64)}.example`,
      `${LONGEST}.a`,
      `${'a.'.repeat(5000)}shop.example`,
      '$',
      '.',
      '..',
      ':80',
      ':',
      '',
    ],
    ...[
      '010.0.0.1',
      '127.1',
      '2130706433',
      '0177.0.0.1',
      '0x7f.1',
      '0x7f000001',
      '1.2.3.0x4',
      '256.1.1.1',
      'a.1',
      'a.0x',
    ],
    ...[
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.4..',
      '[203.0.113.7]',
      '2001:db8::1',
      '[2001:db8::1',
      '2001:db8::1]',
      '[::1]]',
      '[]',
    ],
    ...['[fe80::1%25eth0]', '[::1].', '[::1]a', '[::1]:a', '[1::2::3]', '[v1.a]', '[::1]@b', '[[::1]]'],
    ...[
      'xn--a.example',
      'xn--.example',
      'xn--a-.example',
      'xn--1ug.example',
      'xn--a-yoc',
      'xn--mhb.1',
      'xn--zn7c.example',
    ],
    ...['xn--ü.example', 'é.example', '。example', 'shop。example'],
  ];
  for (const text of odd)
    it(`${JSON.stringify(text.slice(0, 30))} of a request is none`, () => assert.equal(brought(text), undefined));

  it('of bytes is none, whatever they are in another encoding', () => {
    for (let byte = 0x80; byte <= 0xff; byte++)
      assert.equal(subjectFromTraffic('host', Buffer.of(0x61, byte, 0x62)), undefined, byte.toString(16));
  });

  it('is what a naive reading of the grammar says, and WHATWG URL reads it as the same', () => {
    const piece = fc.constantFrom(
      ...['a', 'Shop', 'xn--gre-6ka8l', 'xn--a', 'example', '.', '.', ':', '80', '99999', '127', '1', '0x7f', '010'],
      ...[
        '[',
        ']',
        '::1',
        '[::1]',
        '2001:db8',
        '-',
        '_',
        '@',
        '/',
        '\\',
        '?',
        '#',
        '%41',
        ',',
        ' ',
        '*',
        'é',
        '\u00ad',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 7 }), (pieces) => {
        const text = pieces.join('');
        fc.pre(!/xn--(?!(gre-6ka8l|a)([^a-z0-9_-]|$))/i.test(text)); // of others the oracle knows nothing
        const host = brought(text);
        assert.equal(host, naiveHost(text), text);
        if (host !== undefined && !text.includes('_')) assert.equal(whatwgHost(text), host, text);
      }),
      { numRuns: longRuns(20_000) },
    );
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
    assert.equal(all.length, 9);
    assert.equal(all[0], `host:${LONGEST}`);
    assert.equal(all[1], `host:*.${LONGEST.slice(0, 15)}`);
    assert.equal(all.at(-1), 'host:*.a');
    assert.deepEqual(texts(`*.${LONGEST.slice(0, 101)}`), all.slice(1), 'as agents of before ask');
  });

  it('of hostile text takes no time to speak of', () => {
    for (const unit of ['.', ':', '1:', 'a.', '[:', 'ü.', 'ü', '\u00ad', ':1.'])
      assert.ok(tookMs(() => subjectFromTraffic('host', Buffer.from(unit.repeat(200_000 / unit.length)))) < 500, unit);
  });
});

/** The grammar read character by character; undefined for whatever is not exactly it. */
function naiveHost(text: string): string | undefined {
  const isPort = (port: string) => [...port].every((digit) => '0123456789'.includes(digit)) && Number(port) < 65_536;
  const end = text.startsWith('[') ? text.indexOf(']') + 1 : [...text].indexOf(':');
  const host = (end > 0 ? text.slice(0, end) : text).toLowerCase();
  const rest = text.slice(host.length);
  if (rest !== '' && !(rest.startsWith(':') && rest.length <= 6 && isPort(rest.slice(1)))) return undefined;
  if (host.startsWith('[')) return host.endsWith(']') && isIPv6(host.slice(1, -1)) ? whatwgHost(host) : undefined;
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (isIPv4(name)) return name;
  const labels = name.split('.');
  const last = labels.at(-1) ?? '';
  if ('0123456789'.includes(last.charAt(0)) && (Number.isInteger(Number(last)) || last === '0x')) return undefined;
  for (const label of labels) {
    if (label === '' || label.length > 63) return undefined;
    for (const character of label) if (!'abcdefghijklmnopqrstuvwxyz0123456789-_'.includes(character)) return undefined;
    if (label === 'xn--a') return undefined; // there is no such
  }
  return name;
}

/** As everything reads it that is built on WHATWG URL, without the dot at its end. */
function whatwgHost(text: string): string | undefined {
  const { hostname } = new URL(`http://${text}/`);
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

function brought(text: string): string | undefined {
  return subjectFromTraffic('host', Buffer.from(text))?.value;
}

function typed(value: string): string {
  return formatSubject(parseSubject(`host:${value}`));
}

function texts(value: string): string[] {
  return lookupKeys({ kind: 'host', value });
}

function tookMs(act: () => unknown): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}
