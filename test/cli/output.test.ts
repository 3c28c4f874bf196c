import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { displayWidth } from '../../cli/display-width.ts';
import { aligned, isColoured, table } from '../../cli/output.ts';

describe('a table', () => {
  it('has columns as wide as their widest cell, counted as a terminal draws it', () => {
    const text = table(
      ['A', 'B'],
      [
        ['日本', 'x'],
        ['é\u0301', 'y'],
        ['abcdef', ''],
      ],
    );
    assert.equal(text, 'A       B\n日本    x\né\u0301       y\nabcdef');
  });

  it('shows nothing of a cell that could steer the terminal', () => {
    assert.equal(aligned(['a\u001b[31m\r\nb\u202ec'], []), 'a\ufffd[31m\ufffd\ufffdb\ufffdc');
    assert.equal(aligned([{ text: '\u001b]0;x\u0007', mark: 'bad' }], []), '\ufffd]0;x\ufffd');
  });

  it('counts wide, combining and plain characters', () => {
    assert.deepEqual(['abc', '한국', 'ｆｕｌｌ', '🚫', 'a\u0300', ''].map(displayWidth), [3, 4, 8, 2, 1, 0]);
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
