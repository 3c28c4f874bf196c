import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { MAX_NAMES } from '../../contract/kinds/words.ts';
import { formatSubject, KINDS, lookupKeys, lookupKeysOf, parseSubject, SubjectError } from '../../contract/subject.ts';

const PAGE = readFileSync(new URL('../../docs/reference/subjects.md', import.meta.url), 'utf8');

describe('docs/reference/subjects.md', () => {
  it('lists every kind, and no other', () => {
    const kinds = tableBelow('| Kind | Canonical form').map(([kind = '']) => textsOf(kind)[0]);
    assert.deepEqual(kinds, [...KINDS, 'header.NAME', 'cookie.NAME']);
  });

  it('shows canonical forms that are canonical', () => {
    for (const [kind = '', forms = ''] of tableBelow('| Kind | Canonical form'))
      for (const form of textsOf(forms).filter((text) => text !== 'sha256:' && text !== 'NAME')) {
        const text = `${textsOf(kind)[0]}:${form}`;
        assert.equal(formatSubject(parseSubject(text)), text);
      }
  });

  it('says how many keys a lookup takes', () => {
    const keys = Object.fromEntries(tableBelow('| Kind | Canonical form').map(([kind = '', , , of]) => [kind, of]));
    const { '`ip`': ip, '`host`': host, '`path`': path, '`ua`': ua, '`header.NAME`': header, ...others } = keys;
    const [v4, v6] = ['203.0.113.7', '2001:db8::1'].map((address) => lookupKeys(parseSubject(address)).length);
    assert.equal(ip, `${v4} for IPv4, ${v6} for IPv6`);
    assert.deepEqual([host, path], ['labels, at most 9', 'slashes + 1, at most 9']);
    assert.equal(lookupKeys(parseSubject('host:a.b.example')).length, 3);
    assert.equal(lookupKeys(parseSubject('path:/a/b')).length, 3);
    assert.deepEqual([ua, header], [`at most ${1 + MAX_NAMES}`, `at most ${1 + MAX_NAMES}`]);
    assert.deepEqual([...new Set(Object.values(others))], ['1']);
  });

  it('tells what names match', () => {
    for (const [entry = '', yes = '', no = ''] of tableBelow('| Entry | Matches')) {
      const name = formatSubject(parseSubject(textsOf(entry)[0] ?? ''));
      for (const agent of textsOf(yes)) assert.ok(lookupKeysOf(`ua:${agent}`).includes(name), `${name} ${agent}`);
      for (const agent of textsOf(no)) assert.ok(!lookupKeysOf(`ua:${agent}`).includes(name), `${name} ${agent}`);
    }
  });

  it('spells paths as they are', () => {
    for (const [spellings = '', meant = ''] of tableBelow('| Spelling | Canonical form')) {
      const paths = textsOf(meant);
      textsOf(spellings).forEach((text, index) => {
        if (!text.endsWith('*')) assert.equal(formatSubject(parseSubject(`path:${text}`)), `path:${paths[index]}`);
      });
    }
  });

  it('names what kinds accept and refuse', () => {
    for (const [kinds = '', takes = '', refuses = ''] of tableBelow('| Kind | Accepts')) {
      const [kind = ''] = textsOf(kinds);
      for (const text of textsOf(takes)) assert.doesNotThrow(() => parseSubject(`${kind}:${text}`));
      for (const text of textsOf(refuses)) assert.throws(() => parseSubject(`${kind}:${text}`), SubjectError);
    }
  });

  it('tells of hosts what is so', () => {
    for (const [text, host] of [
      ['Shop.Example.:8080', 'shop.example'],
      ['grüße.example', 'xn--gre-6ka8l.example'],
    ] as const) {
      assert.ok(PAGE.includes(`\`${text}\` is \`${host}\``));
      assert.equal(formatSubject(parseSubject(`host:${text}`)), `host:${host}`);
    }
  });
});

function tableBelow(heading: string): string[][] {
  const lines = PAGE.split('\n');
  const first = lines.findIndex((line) => line.startsWith(heading)) + 2;
  const rows = lines.slice(first, lines.indexOf('', first));
  assert.ok(first >= 2 && rows.length > 0, heading);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What stands in a cell as code. */
function textsOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '');
}
