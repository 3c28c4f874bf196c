import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  candidates,
  formatSubject,
  MAX_SUBJECT_BYTES,
  parseSubject,
  SubjectError,
  subjectOf,
} from '../../contract/subject.ts';
import { longRuns } from '../support/scope.ts';

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
    ['/\ud800', '/%EF%BF%BD'],
  ];
  for (const [text, path] of spellings)
    it(`${JSON.stringify(text)} is ${path}, whoever writes it`, () => {
      assert.equal(typed(text), `path:${path}`);
      assert.deepEqual(subjectOf('path', Buffer.from(text)), { kind: 'path', value: path });
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
    ['admin', /is no path: write what follows the host, beginning with \//],
    ['*', /is no path/],
    ['https://shop.example/admin', /is no path: write what follows the host/],
    ['/admin?x=1', /has more than a path: write path:\/admin$/],
    ['/admin#top', /has more than a path: write path:\/admin$/],
    ['/admin*', /write \/admin\/\* for all below \/admin\/, and %2A for a \*/],
    ['/*/admin', /has a \* that is not all of its end/],
    ['/*.php', /has a \* that is not all of its end/],
    ['/**', /has a \* that is not all of its end/],
    [`${'/a'.repeat(99)}/*`, /would never match: it has 100 levels, looked up are 99/],
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
    [`${DEEP}/${'x'.repeat(30)}`, `${'/a'.repeat(98)}/*`],
    ['*', undefined],
    ['shop.example:443', undefined],
    ['http://shop.example/', undefined],
  ];
  for (const [text, path] of odd)
    it(`${text.slice(0, 30)} of a request is ${path?.slice(0, 30) ?? 'nothing that can be listed'}`, () => {
      assert.equal(subjectOf('path', Buffer.from(text))?.value, path);
      if (path !== undefined) assert.equal(typed(path), `path:${path}`);
    });

  it('is covered by itself and the wildcards above it, narrowest first', () => {
    assert.deepEqual(texts('/a/b'), ['path:/a/b', 'path:/a/*', 'path:/*']);
    assert.deepEqual(texts('/a/'), ['path:/a/', 'path:/a/*', 'path:/*']);
    assert.deepEqual(texts('/a/*'), ['path:/a/*', 'path:/*']);
    assert.deepEqual(texts('/'), ['path:/', 'path:/*']);
  });

  it('of many segments is looked up itself and under the widest wildcards', () => {
    const all = texts(DEEP);
    assert.equal(all.length, 100);
    assert.deepEqual([all[0], all[1], all.at(-1)], [`path:${DEEP}`, `path:${'/a'.repeat(98)}/*`, 'path:/*']);
  });

  it('is the same however any of its characters are encoded that need not be', () => {
    const character = fc.constantFrom(..."aZ0-._~!$&'()+,;=:@/");
    fc.assert(
      fc.property(fc.array(fc.tuple(character, fc.nat(2)), { maxLength: 30 }), (spelled) => {
        const plain = spelled.map(([of]) => of).join('');
        const encoded = spelled.map(([of, how]) => (how === 0 || of === '/' ? of : hexOf(of, how === 1))).join('');
        assert.deepEqual(subjectOf('path', Buffer.from(`/${encoded}`)), subjectOf('path', Buffer.from(`/${plain}`)));
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
        assert.equal(subjectOf('path', Buffer.from(path))?.value, expected);
      }),
      { numRuns: longRuns(5000) },
    );
  });

  it('of hostile text takes no time to speak of, and is bounded', () => {
    for (const unit of ['/', '/.', '/..', '/a', '%', '%2', '%61', '*', '/*', 'ü', '?'])
      assert.ok(tookMs(() => subjectOf('path', Buffer.from(`/${unit.repeat(200_000 / unit.length)}`))) < 500, unit);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('/', 'x'.repeat(200), '/a', '%ff', '..'), { maxLength: 600 }), (parts) => {
        const subject = subjectOf('path', Buffer.from(`/${parts.join('')}`));
        assert.ok(subject && formatSubject(subject).length <= MAX_SUBJECT_BYTES);
        assert.ok(candidates(subject).length <= 100);
      }),
    );
  });
});

function typed(value: string): string {
  return formatSubject(parseSubject(`path:${value}`));
}

function texts(value: string): string[] {
  return candidates({ kind: 'path', value });
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
