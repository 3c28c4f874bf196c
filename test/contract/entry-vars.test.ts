import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  headerOf,
  MAX_VARS_BYTES,
  PLAIN_VARS,
  parseSplit,
  varProblem,
  varsProblem,
} from '../../contract/entry-vars.ts';
import { isHarmless } from '../support/hostile-values.ts';
import { longRuns } from '../support/scope.ts';

const good: readonly (readonly [name: string, value: string])[] = [
  ...[
    '/',
    '/new?a=b&c=%20#top',
    '/a//b',
    'https://shop.example',
    'http://192.0.2.1:8080/x',
    'https://[2001:db8::1]/',
    '/a@b',
  ].map((value) => ['location', value] as const),
  ...['blue', 'be_blue.2', 'a:b', 'x'.repeat(64)].map((value) => ['backend', value] as const),
  ...['blue=90,green=10', 'blue=100', 'blue=0', 'a=33.33,b=33.33,c=33.34', 'a=0.1,b=0.2,c=99.7', 'blue=007'].map(
    (value) => ['split', value] as const,
  ),
  ...['/', '/v2/a b'.replace(' ', '%20'), '/a;b=c', '/...', '/.well-known/x', '/a..b'].map(
    (value) => ['path', value] as const,
  ),
  ...['', 'a=b&c=%C3%A4', 'a=/x?'].map((value) => ['query', value] as const),
  ...['', 'we are closed: "until" Monday', '<h1>Grüße</h1>'].map((value) => ['body', value] as const),
  ...['', 'gold', 'a "b" \\ c; d=%0d', 'max-age=1, private'].map((value) => ['req.set.x-plan', value] as const),
  ['res.add.set-cookie', 'a=b; Secure'],
  ['res.del.server', '1'],
];

/** What somebody who may write entries would try. */
const bad: readonly (readonly [name: string, value: string])[] = [
  ...[
    ...[
      '',
      '//evil.example',
      '/\\evil.example',
      '\\/evil.example',
      '/\t/evil.example',
      'http:evil.example',
      'http:/evil.example',
    ],
    ...[
      'http:///evil.example',
      'https://',
      'https://user@evil.example',
      'https://shop.example:x@evil.example/',
      'http://a:99999/',
    ],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'JAVASCRIPT:x',
      'ftp://a/',
      'evil.example',
      ' /x',
      '/x ',
      '/a\r\nset-cookie: x=y',
    ],
    ...[
      '/a%0d%0aset-cookie:x',
      '/a%0D',
      '/a%00',
      '/a%zz',
      '/a%',
      '/a%1',
      '/a"b',
      '/a<b>',
      '/ä',
      'https://ä.example/',
      'http://[::1',
      'http://[/x',
    ],
    ...['https://shop.example\\@evil.example/', 'https:\\\\evil.example', '/\u202e', '/x\u0000'],
  ].map((value) => ['location', value] as const),
  ...['', 'a b', 'a\n', 'a%[src]', 'a"b', 'x'.repeat(65), 'blü'].map((value) => ['backend', value] as const),
  ...[
    ...[
      '',
      'blue',
      'blue=',
      '=10',
      'blue=-1',
      'blue=NaN',
      'blue=Infinity',
      'blue=1e1',
      'blue=100.00001',
      'blue=100.01',
      'blue=.5',
    ],
    ...[
      'blue=5.',
      'blue= 5',
      'blue=5 ',
      'a=50,b=51',
      'a=1,,b=1',
      'a=1,',
      'a=1,a=2',
      'a=1000',
      'a=50,b=50,c=0.01',
      'a b=1',
      'a=1;b=2',
    ],
  ].map((value) => ['split', value] as const),
  ...[
    ...[
      '',
      'a',
      '//evil.example',
      '/a?b',
      '/a#b',
      '/a b',
      '/../x',
      '/a/../b',
      '/a/..',
      '/a/./b',
      '/%2e%2E/x',
      '/a/.%2e',
      '/..;/admin',
    ],
    ...['/a%0d%0ahost:x', '/a%', '/a\\b', '/a\n', '/"', '/%00'],
  ].map((value) => ['path', value] as const),
  ...['#', 'a b', 'a\nb', 'a%0ab', 'a%', '"'].map((value) => ['query', value] as const),
  ...['a\r\nb', 'a\tb', 'a\0', '\u2028', '\u202eabc', '\ud800', 'a\u0085b'].map((value) => ['body', value] as const),
  ...['a\r\nx: y', 'a\nb', 'a\0b', 'a\tb', '\u202e', 'ä', '\u0085', ' a', 'a ', '\x7f'].map(
    (value) => ['req.set.x-plan', value] as const,
  ),
  ...[
    'content-length',
    'transfer-encoding',
    'connection',
    'host',
    'te',
    'upgrade',
    'trailer',
    'keep-alive',
    'expect',
    'http2-settings',
  ].flatMap(
    (header) =>
      [
        [`req.set.${header}`, 'x'],
        [`res.del.${header}`, '1'],
      ] as const,
  ),
  ...[
    'req.set.X-Plan',
    'req.set.',
    'req.set.x y',
    'req.set.x_y',
    'req.set.-x',
    `req.set.${'x'.repeat(33)}`,
    'req.set.x\n',
    'req.replace.x',
    'txn.set.x',
  ].map((name) => [name, 'a'] as const),
  ...['action', 'status', 'error', '', '__proto__', 'constructor', 'toString', 'Location', 'location\n'].map(
    (name) => [name, '/'] as const,
  ),
];

describe('a variable of an entry', () => {
  for (const [name, value] of good)
    it(`can be ${JSON.stringify(name)} with ${JSON.stringify(value.slice(0, 40))}`, () =>
      assert.equal(varProblem(name, value), undefined));

  for (const [name, value] of bad)
    it(`cannot be ${JSON.stringify(name)} with ${JSON.stringify(value.slice(0, 40))}`, () =>
      assert.match(varProblem(name, value) ?? '', /^(must be|is none of|is a header) /));

  const scrap = fc.constantFrom(
    ...[
      '/',
      '\\',
      '//',
      'http:',
      'https://',
      '@',
      'evil.example',
      '.',
      '..',
      '%2f',
      '%5c',
      '%0d',
      '%0a',
      '\r',
      '\n',
      '\t',
      ' ',
      '\0',
      '?',
      '#',
      ':',
      '[',
      ']',
      'a',
      '"',
    ],
  );
  const hostile = fc.oneof(
    fc.array(scrap, { maxLength: 8 }).map((scraps) => scraps.join('')),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.webUrl(),
  );

  it('that is a location leads where a browser and a reader of its text agree that it leads', () => {
    let taken = 0;
    fc.assert(
      fc.property(hostile, (value) => {
        if (varProblem('location', value) !== undefined) return;
        taken++;
        const seen = new URL(value, 'https://shop.example/here');
        assert.ok(['http:', 'https:'].includes(seen.protocol) && seen.username === '' && seen.password === '', value);
        const named = /^https?:\/\/([^/?#]+)/.exec(value)?.[1] ?? 'shop.example';
        assert.equal(seen.host, new URL(`${seen.protocol}//${named}`).host, value);
      }),
      { numRuns: longRuns(5000) },
    );
    assert.ok(taken > 100, `${taken}`);
  });

  it('that is a path is still this path for whoever resolves and decodes it', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        if (varProblem('path', value) !== undefined) return;
        assert.equal(new URL(value, 'https://shop.example').pathname.length, value.length, value);
        assert.ok(isHarmless(decodeURIComponent(value.replaceAll(/%[89a-f][0-9a-f]/gi, ''))), value);
      }),
      { numRuns: 3000 },
    );
  });

  it('never has what ends a line, whatever its name', () => {
    const name = fc.constantFrom(...PLAIN_VARS, 'req.set.x', 'res.add.y');
    fc.assert(
      fc.property(name, fc.string({ unit: 'binary' }), (variable, value) => {
        if (varProblem(variable, value) === undefined) assert.ok(isHarmless(value), JSON.stringify(value));
      }),
      { numRuns: longRuns(5000) },
    );
  });
});

describe('the ways of a split', () => {
  it('are what was written, in its order', () => {
    const way = fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.nat({ max: 3333 }));
    fc.assert(
      fc.property(fc.uniqueArray(way, { minLength: 1, maxLength: 3, selector: ([backend]) => backend }), (ways) => {
        const text = ways.map(([backend, share]) => `${backend}=${(share / 100).toFixed(2)}`).join(',');
        assert.deepEqual(
          parseSplit(text),
          ways.map(([backend, hundredthsOfPercent]) => ({ backend, hundredthsOfPercent })),
        );
      }),
    );
  });

  it('are at most all clients, to the hundredth of a percent', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 6000 }), { minLength: 1, maxLength: 4 }), (shares) => {
        const text = shares.map(
          (share, index) => `b${index}=${Math.floor(share / 100)}.${String(share % 100).padStart(2, '0')}`,
        );
        assert.equal(parseSplit(text.join(',')) !== undefined, shares.reduce((sum, share) => sum + share) <= 10_000);
      }),
    );
  });
});

describe('the variables of an entry together', () => {
  it('are told by the name of the first that is wrong', () => {
    assert.equal(varsProblem({}), undefined);
    assert.match(varsProblem({ location: '/', path: 'x' }) ?? '', /^vars\.path must be a path/);
    assert.match(varsProblem({ 'a\r\nb': 'x' }) ?? '', /^vars\.a\\r\\nb is none of/);
    assert.match(varsProblem(JSON.parse('{"__proto__":"x"}')) ?? '', /^vars\.__proto__ is none of/);
  });

  it('are 16 at most, and so many bytes that an answer always has room for them', () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`req.set.h${index}`, '']));
    assert.equal(varsProblem(many(16)), undefined);
    assert.equal(varsProblem(many(17)), 'vars has 17 of them, the limit is 16');
    assert.equal(varsProblem({ body: 'x'.repeat(MAX_VARS_BYTES - 12) }), undefined);
    assert.match(
      varsProblem({ body: 'x'.repeat(MAX_VARS_BYTES - 11) }) ?? '',
      /^vars has 513 bytes .* the limit is 512$/,
    );
    assert.match(varsProblem({ body: 'ä'.repeat(300) }) ?? '', /^vars has 612 bytes/);
  });
});

describe('the header of a variable', () => {
  it('is its last part', () => {
    assert.deepEqual(headerOf('res.add.set-cookie'), { side: 'res', how: 'add', header: 'set-cookie' });
    assert.equal(headerOf('location'), undefined);
  });
});
