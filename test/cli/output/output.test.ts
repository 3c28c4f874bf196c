import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import stringWidth from 'string-width';
import { jsonText } from '../../../cli/output/json-text.ts';
import { withIsoTimes } from '../../../cli/output/json-times.ts';
import { isColoured } from '../../../cli/output/output.ts';
import { aligned, table } from '../../../cli/output/table.ts';
import { escapeInvisible } from '../../../contract/printable.ts';

describe('a table', () => {
  it('has columns as wide as their widest cell, counted as a terminal draws it', () => {
    const text = table(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['e\u0301', 'y'],
        ['ｆｕ', 'z'],
        ['🚫', 'w'],
        ['abcdef', ''],
      ],
    );
    assert.equal(text, 'A       B\n日本    x\ne\u0301       y\nｆｕ    z\n🚫      w\nabcdef');
  });

  it('fits a terminal: without empty columns, then with the widest cut, the first one last', () => {
    const heading = ['SUBJECT', 'STATUS', 'REASON', 'NOTE'];
    const rows = [
      ['ip:203.0.113.7', '', 'a reason that is long', '日本日本日本日本日本'],
      ['ip:198.51.100.0/24', '', 'short', ''],
    ];
    assert.equal(
      table(heading, rows, 50),
      'SUBJECT             REASON          NOTE\nip:203.0.113.7      a reason that…  日本日本日本…\nip:198.51.100.0/24  short',
    );
    for (const columns of [1, 20, 30, 40, 50, 60, 70]) {
      const lines = table(heading, rows, columns).split('\n');
      for (const line of lines) assert.ok(stringWidth(line) <= Math.max(columns, 28), `${columns}: ${line}`);
    }
    assert.equal(table(heading, rows, 80), table(heading, rows));
  });

  it('shows nothing of a cell that could steer the terminal', () => {
    assert.equal(aligned(['a\u001b[31m\r\nb\u202ec'], []), 'a\\u{1b}[31m\\u{d}\\u{a}b\\u{202e}c');
    assert.equal(aligned([{ text: '\u001b]0;x\u0007', mark: 'bad' }], []), '\\u{1b}]0;x\\u{7}');
  });
});

describe('text of anybody', () => {
  /** Every character that a terminal obeys or that is not seen, by the number of its plane and place. */
  const unseen = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter((character) =>
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(character),
  );

  it('is printed as one line in which everything can be seen', () => {
    for (const character of unseen) {
      const text = escapeInvisible(`a${character}b`);
      assert.match(text, /^a\\u\{[0-9a-f]{1,6}\}b$/);
    }
    assert.equal(escapeInvisible('日本 é "\\" – ok'), '日本 é "\\" – ok');
  });

  it('is JSON that has the same value, and nothing in it that is not seen', () => {
    for (const character of [...unseen, '\ud83d\ude00', '"', '\\']) {
      const value = { [`k${character}`]: [`a${character}b`, 1, null] };
      for (const indent of [undefined, 2]) {
        const text = jsonText(value, indent);
        assert.deepEqual(JSON.parse(text), value);
        assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }
    }
  });
});

describe('JSON of commands', () => {
  it('has one form of time, however deep, and leaves alone what is none', () => {
    const value = {
      expiresAt: 1_900_000_000,
      at: 'x',
      lease: [{ until: 0.5 }],
      entry: { expiresAt: 1e15, until: null },
      reason: 5,
    };
    assert.deepEqual(withIsoTimes(value), {
      ...value,
      expiresAt: '2030-03-17T17:46:40Z',
      lease: [{ until: '1970-01-01T00:00:00.500Z' }],
    });
  });
});

describe('colour', () => {
  const terminal = { isTTY: true };

  it('is for terminals that have it', () => {
    assert.equal(isColoured(terminal, {}), true);
    assert.equal(isColoured(terminal, { TERM: 'dumb' }), false);
    assert.equal(isColoured({}, {}), false);
  });

  it('is never there with NO_COLOR or in a pipe, whatever FORCE_COLOR says', () => {
    assert.equal(isColoured(terminal, { NO_COLOR: '1', FORCE_COLOR: '3' }), false);
    assert.equal(isColoured({ isTTY: false }, { FORCE_COLOR: '3' }), false);
    assert.equal(isColoured(terminal, { NO_COLOR: '' }), true); // an empty one counts as none (no-color.org)
  });
});
