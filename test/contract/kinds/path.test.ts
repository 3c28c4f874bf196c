import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isOddPath } from '../../../contract/kinds/path.ts';
import {
  formatSubject,
  lookupKeys,
  MAX_SUBJECT_BYTES,
  parseLookupSubject,
  parseSubject,
  SubjectError,
  subjectFromTraffic,
} from '../../../contract/subject.ts';
import { longRuns } from '../../support/scope.ts';

const DEEP = '/a'.repeat(500);

describe('a path', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['/', '/'],
    ['/Admin', '/Admin'],
    ['/admin/', '/admin/'],
    ["/a/b:c;d=1,e@f!$&'()+", "/a/b:c;d=1,e@f!$&'()+"],
    ['//admin///x//', '/admin/x/'],
    ['/a/./b/../c', '/a/c'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a/b/.', '/a/b/'],
    ['/../../admin', '/admin'],
    ['/a//../admin', '/admin'],
    ['/.well-known/x', '/.well-known/x'],
    ['/a.b/...', '/a.b/...'],
    ['/%61dmin', '/admin'],
    ['/%41%7e%2D%5f', '/A~-_'],
    ['/x/%2e%2E/admin/%2e', '/admin/'],
    ['/a%40b%3bc', '/a@b;c'],
    ['/a%2fb%5c', '/a%2Fb%5C'],
    ['/a%3fb%23', '/a%3Fb%23'],
    ['/%2561dmin', '/%2561dmin'],
    ['/100%/%zz/%%36', '/100%25/%25zz/%256'],
    ['/a b"<>\\^`{|}[]', '/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D'],
    ['/grüße/🦊', '/gr%C3%BC%C3%9Fe/%F0%9F%A6%8A'],
    ['/gr%c3%bc%C3%9fe', '/gr%C3%BC%C3%9Fe'],
    ['/a%2a', '/a%2A'],
    ['/a%7Eb%20%c3%bc', '/a~b%20%C3%BC'],
  ];
  for (const [text, path] of spellings)
    it(`${JSON.stringify(text)} is ${path}, whoever writes it`, () => {
      assert.equal(typed(text), `path:${path}`);
      assert.deepEqual(subjectFromTraffic('path', Buffer.from(text)), { kind: 'path', value: path });
    });

  const wildcards: readonly (readonly [string, string])[] = [
    ['/admin/*', '/admin/*'],
    ['//x/../%61dmin//*', '/admin/*'],
    ['/*', '/*'],
    ['/../*', '/*'],
  ];
  for (const [text, path] of wildcards)
    it(`${text} is all of ${path}`, () => assert.equal(typed(text), `path:${path}`));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['admin', /is not a valid path: write what follows the host, beginning with \//],
    ['*', /is not a valid path/],
    ['https://shop.example/admin', /is not a valid path: write what follows the host/],
    ['/admin?x=1', /has more than a path in it: write path:\/admin$/],
    ['/admin#top', /has more than a path in it: write path:\/admin$/],
    ['/admin*', /write \/admin\/\* for everything below \/admin\/, and %2A for a \*/],
    ['/*/admin', /has a \* in the wrong place/],
    ['/*.php', /has a \* in the wrong place/],
    ['/**', /has a \* in the wrong place/],
    [`${'/a'.repeat(8)}/*`, /would never match: it has 9 levels, and a path is looked up under its 8 widest wildcards/],
    [`/${'ü'.repeat(300)}`, /bytes long, the limit is 1024/],
  ];
  for (const [text, message] of wrong)
    it(`${text.slice(0, 40)} is refused`, () => {
      assert.throws(
        () => typed(text),
        (error) => error instanceof SubjectError && message.test(error.message),
      );
    });

  const odd: readonly (readonly [string, string | undefined])[] = [
    ['/admin?x=/../y', '/admin'],
    ['/admin#.png', '/admin'],
    ['/admin/*', '/admin/%2A'],
    ['/a*b', '/a%2Ab'],
    [`/admin/${'x'.repeat(2000)}`, '/admin/*'],
    [`/${'x'.repeat(2000)}/admin`, '/*'],
    [`/admin/${'%41'.repeat(1100)}`, '/admin/*'],
    [`/admin/${'%2f'.repeat(300)}${'a'.repeat(300)}`, '/admin/*'],
    [`${DEEP}/${'x'.repeat(30)}`, `${'/a'.repeat(7)}/*`],
    [`/${'x'.repeat(4095)}`, '/*'],
    [`/a/${'/.'.repeat(2040)}/b?${'x'.repeat(9000)}`, '/a/b'],
    [`/${'x'.repeat(4096)}`, undefined],
    [`/admin/../${'/'.repeat(4096)}`, undefined],
    ['*', undefined],
    ['shop.example:443', undefined],
    ['http://shop.example/', undefined],
  ];
  for (const [text, path] of odd)
    it(`${text.slice(0, 30)} of a request is ${path?.slice(0, 30) ?? 'nothing that can be listed'}`, () => {
      assert.equal(subjectFromTraffic('path', Buffer.from(text))?.value, path);
      if (path !== undefined) assert.equal(typed(path), `path:${path}`);
    });

  it('is bytes, and no text of any encoding', () => {
    for (let byte = 0; byte < 256; byte++) {
      const octets = Buffer.of(0x2f, 0x61, byte, 0x62);
      const expected = byte < 0x20 || byte === 0x7f ? undefined : naivePath(octets);
      assert.equal(subjectFromTraffic('path', octets)?.value, expected, byte.toString(16));
    }
    assert.equal(subjectFromTraffic('path', Buffer.from('/caf\u00e9', 'latin1'))?.value, '/caf%E9');
    assert.equal(typed('/caf%e9'), 'path:/caf%E9');
    assert.equal(subjectFromTraffic('path', Buffer.from('/a\xff\xfe%ff', 'latin1'))?.value, '/a%FF%FE%FF');
  });

  it('is what a naive reader makes of its bytes, and its canonical form is its own', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '//',
        '.',
        '..',
        '%2e',
        '%2F',
        '%',
        '%%',
        '%4',
        '%zz',
        'a',
        'Z',
        '~',
        '*',
        ';',
        '\\',
        '?',
        '#',
      ),
      fc.integer({ min: 0x20, max: 0xff }).map((byte) => String.fromCharCode(byte)),
      fc.integer({ min: 0, max: 0xff }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const octets = Buffer.from(`/${pieces.join('')}`, 'latin1');
        fc.pre(!octets.includes(0x7f));
        const path = subjectFromTraffic('path', octets)?.value;
        assert.equal(path, naivePath(octets));
        assert.equal(typed(String(path)), `path:${path}`);
      }),
      { numRuns: longRuns(10_000) },
    );
  });

  it('is covered by itself and the wildcards above it, narrowest first', () => {
    assert.deepEqual(texts('/a/b'), ['path:/a/b', 'path:/a/*', 'path:/*']);
    assert.deepEqual(texts('/a/'), ['path:/a/', 'path:/a/*', 'path:/*']);
    assert.deepEqual(texts('/a/*'), ['path:/a/*', 'path:/*']);
    assert.deepEqual(texts('/'), ['path:/', 'path:/*']);
  });

  it('of many segments is looked up itself and under the widest wildcards', () => {
    const levels = [...'abcdefgh'].map((_, level) => `path:${'/a'.repeat(level)}/*`);
    assert.deepEqual(texts(DEEP), [`path:${DEEP}`, ...levels.reverse()]);
    assert.deepEqual(texts(`${'/a'.repeat(98)}/*`), levels, 'as agents of before ask');
  });

  it('can have wildcards as deep as what is looked up, and no deeper', () => {
    for (let levels = 1; levels <= 12; levels++) {
      const entry = `path:${'/a'.repeat(levels - 1)}/*`;
      const isFound = texts(DEEP).includes(entry);
      assert.equal(isFound, levels <= 8);
      if (isFound) assert.equal(formatSubject(parseSubject(entry)), entry);
      else assert.throws(() => parseSubject(entry), /would never match/);
      assert.equal(formatSubject(parseLookupSubject(entry)), entry);
    }
  });

  it('is the same however any of its characters are encoded that need not be', () => {
    const character = fc.constantFrom(..."aZ0-._~!$&'()+,;=:@/");
    fc.assert(
      fc.property(fc.array(fc.tuple(character, fc.nat(2)), { maxLength: 30 }), (spelled) => {
        const plain = spelled.map(([of]) => of).join('');
        const encoded = spelled.map(([of, how]) => (how === 0 || of === '/' ? of : hexOf(of, how === 1))).join('');
        assert.deepEqual(
          subjectFromTraffic('path', Buffer.from(`/${encoded}`)),
          subjectFromTraffic('path', Buffer.from(`/${plain}`)),
        );
      }),
      { numRuns: longRuns(5000) },
    );
  });

  it('is what a file system makes of it, where a URL names files', () => {
    const part = fc.constantFrom('a', 'b', '.', '..', '', '...', '%2e', '.%2E');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const path = `/${parts.join('/')}`;
        const expected = new URL(`http://host${path.replace(/\/{2,}/g, '/')}`).pathname;
        assert.equal(subjectFromTraffic('path', Buffer.from(path))?.value, expected);
      }),
      { numRuns: longRuns(5000) },
    );
  });

  it('of hostile text takes no time to speak of, and is bounded', () => {
    for (const unit of ['/', '/.', '/..', '/a', '%', '%2', '%61', '*', '/*', 'ü', '?'])
      assert.ok(
        tookMs(() => subjectFromTraffic('path', Buffer.from(`/${unit.repeat(200_000 / unit.length)}`))) < 500,
        unit,
      );
    fc.assert(
      fc.property(fc.array(fc.constantFrom('/', 'x'.repeat(200), '/a', '%ff', '..'), { maxLength: 600 }), (parts) => {
        const subject = subjectFromTraffic('path', Buffer.from(`/${parts.join('')}`));
        assert.ok(subject && formatSubject(subject).length <= MAX_SUBJECT_BYTES);
        assert.ok(lookupKeys(subject).length <= 9);
      }),
    );
  });
});

describe('an odd path', () => {
  const odd = [
    ...[
      '',
      '*',
      'admin',
      'x/admin',
      'http://shop.example/admin',
      '//admin',
      '//',
      '///admin',
      '//x/../admin',
      '\\admin',
    ],
    ...[
      '/%2fadmin',
      '/a%2Fb',
      '/x/..%2fadmin',
      '/a%5cb',
      '/a%5Cb',
      '/a\\b',
      '/a%00',
      '/a%00.png',
      '/a;b',
      '/a;',
      '/;/a',
    ],
    ...['/a%3bb', '/a%3Bb', '/..;/a', '/%61dmin', '/%41', '/%5A', '/%7a', '/%30', '/a%2db', '/a%2Eb', '/a%5fb', '/%2e'],
    ...[
      '/.',
      '/..',
      '/./a',
      '/a/./b',
      '/a/../b',
      '/a/..',
      '/a/.',
      '/%2e%2e/a',
      '/.%2e/a',
      '/a/%2E/b',
      '/a/.?x',
      '/a#b',
      '/#',
    ],
    ...['/a%0a', '/a%0D', '/a%09', '/a%7f', '/a%1Fb', '/a%u002fb', '/caf\xe9/../a'],
  ];
  for (const path of odd) it(`is ${JSON.stringify(path)}`, () => assert.ok(isOdd(path)));

  const ordinary = [
    ...[
      '/',
      '/a',
      '/a/',
      '/a/b',
      '/a//b',
      '/a//',
      '/a///b//',
      '/a.b',
      '/.well-known/x',
      '/a/...',
      '/a/.b',
      '/a../b',
      '/..a',
    ],
    ...[
      '/a%7Eb',
      '/~a',
      '/a%20b',
      '/%C3%BC',
      '/caf%E9',
      '/caf\xe9',
      '/a%2Ab',
      '/a*',
      '/a%40b',
      '/a%3Ab',
      '/a%25b',
      '/100%',
    ],
    ...[
      '/a%2Cb',
      '/a%2Bb+c',
      '/a%5Bb%5D',
      '/a%7B%7D',
      '/a%3Fb',
      '/a%23b',
      '/a%22',
      '/a%3D',
      '/a%26',
      '/a%60',
      '/@a/b',
      '/a:b',
    ],
    ...['/a?x=/../..;%2f//', '/a?', "/a!$&'()*+,=:@-_b", '/a-b_c', '/a%zz', '/%', '/a%5'],
  ];
  for (const path of ordinary) it(`is not ${JSON.stringify(path)}`, () => assert.ok(!isOdd(path)));

  it('is what a naive reader finds odd', () => {
    const piece = fc.constantFrom(
      ...['/', '//', '.', '..', 'a', '~', '%7e', '%', '%4', '%zz', ';', '\\', '?', '*', '#', '\xe9', '%u'],
      ...Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`),
      ...Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, rooted) => {
        const path = `${rooted ? '/' : ''}${pieces.join('')}`;
        assert.equal(isOdd(path), naiveIsOdd(path), path);
      }),
      { numRuns: longRuns(20_000) },
    );
  });

  it('is the only one that servers read otherwise than its canonical form', () => {
    const segment = fc.constantFrom(
      'a',
      'b',
      '',
      '.',
      '..',
      '...',
      '%2e',
      'a;b',
      'a%2Fb',
      'x%41',
      '~',
      '%7e',
      '\\',
      '%5c',
    );
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const path = `/${segments.join('/')}`;
        if (isOdd(path)) return;
        const asked = subjectFromTraffic('path', Buffer.from(path))?.value;
        assert.equal(nginxPath(path), asked);
        assert.equal(new URL(path.replace(/\/{2,}/g, '/'), 'http://host').pathname.replaceAll('%7e', '~'), asked);
      }),
      { numRuns: longRuns(5000) },
    );
  });

  it('is found in no time to speak of', () => {
    for (const unit of ['/', '/.', 'a', '%', '%2', '%4', '%7e', '.', '/..a', '?'])
      assert.ok(tookMs(() => isOdd(`/${unit.repeat(200_000 / unit.length)}`)) < 500, unit);
  });
});

function isOdd(path: string): boolean {
  return isOddPath(Buffer.from(path, 'latin1'));
}

/** The rules one after the other, on the bytes. */
function naiveIsOdd(path: string): boolean {
  const end = path.indexOf('?');
  const read = end < 0 ? path : path.slice(0, end);
  if (!read.startsWith('/') || read.startsWith('//')) return true;
  for (const character of ';\\#') if (read.includes(character)) return true;
  for (const segment of read.split('/')) if (segment === '.' || segment === '..') return true;
  for (let at = 0; at < read.length; at++) {
    if (read[at] !== '%') continue;
    if (read[at + 1]?.toLowerCase() === 'u') return true;
    const hex = read.slice(at + 1, at + 3).toLowerCase();
    if (hex.length < 2 || [...hex].some((digit) => !'0123456789abcdef'.includes(digit))) continue;
    const byte = Number(`0x${hex}`);
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte === 0x7f || '/\\;-._'.includes(character)) return true;
    if (character.toLowerCase() !== character.toUpperCase() && byte < 0x80) return true; // a letter
    if ('0123456789'.includes(character)) return true;
  }
  return false;
}

/** The canonical form written down byte by byte, with nothing but arrays. */
function naivePath(octets: Uint8Array): string {
  const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;=:@";
  const read = octets.subarray(0, octets.findIndex((byte) => byte === 0x3f || byte === 0x23) >>> 0);
  const segments: string[][] = [[]];
  for (let at = 0; at < read.length; at++) {
    const character = String.fromCharCode(read[at] as number); // in bounds
    const hex = String.fromCharCode(...read.subarray(at + 1, at + 3));
    const isEncoded =
      character === '%' && hex.length === 2 && [...hex].every((digit) => '0123456789abcdefABCDEF'.includes(digit));
    const byte = isEncoded ? Number(`0x${hex}`) : (read[at] as number); // in bounds
    if (isEncoded) at += 2;
    const of = String.fromCharCode(byte);
    if (!isEncoded && of === '/') segments.push([]);
    else segments.at(-1)?.push(plain.includes(of) ? of : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);
  }
  const kept: string[] = [];
  const texts = segments.map((segment) => segment.join(''));
  for (const text of texts.slice(1)) {
    if (text === '..') kept.splice(-1);
    else if (text !== '.' && text !== '') kept.push(text);
  }
  const isFolder = kept.length > 0 && ['', '.', '..'].includes(texts.at(-1) ?? '');
  return `/${kept.join('/')}${isFolder ? '/' : ''}`;
}

/** As nginx does (merge_slashes on): decodes, then resolves; ordinary paths only. */
function nginxPath(path: string): string {
  const decoded = decodeURIComponent(path);
  return decoded.replace(/\/{2,}/g, '/');
}

function typed(value: string): string {
  return formatSubject(parseSubject(`path:${value}`));
}

function texts(value: string): string[] {
  return lookupKeys({ kind: 'path', value });
}

function hexOf(character: string, upper: boolean): string {
  const hex = Buffer.from(character).toString('hex');
  return `%${upper ? hex.toUpperCase() : hex}`;
}

function tookMs(act: () => unknown): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}
