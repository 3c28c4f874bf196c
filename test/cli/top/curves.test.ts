import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import stringWidth from 'string-width';
import type { Second } from '../../../agent/state/last-minute.ts';
import { widthOf } from '../../../cli/output/fit.ts';
import { inAscii, isUtf8 } from '../../../cli/top/ascii.ts';
import { curveLines } from '../../../cli/top/curves.ts';

const TELL = { rate: (value: number) => `${value}/s`, seconds: (value: number) => `${value} s` };
const second = (index: number, changes: Partial<Second> = {}): Second => ({
  atMs: index * 1000,
  decisions: 0,
  denied: 0,
  byPolicy: 0,
  p99Seconds: null,
  ...changes,
});
const minute = (of: (index: number) => Partial<Second>) => Array.from({ length: 60 }, (_, at) => second(at, of(at)));
const curves = (seconds: readonly Second[], columns = 200) => curveLines(seconds, columns, TELL);

describe('the curves of top', () => {
  it('are the last minute from 0 to the greatest value, which is told', () => {
    const [first = '', last = ''] = curves(
      minute((at) => ({ decisions: at < 30 ? 0 : 70, denied: at === 59 ? 7 : 0, p99Seconds: 0.001 })),
    );
    assert.equal(
      first,
      `60 s, most  decisions  ${'▁'.repeat(30)}${'█'.repeat(30)}  70/s   denied  ${'▁'.repeat(59)}█  7/s`,
    );
    assert.equal(last, `            by policy  ${'▁'.repeat(60)}  0.0 %  p99     ${'█'.repeat(60)}  0.001 s`);
  });

  it('keep a second that stands out where a character is several seconds', () => {
    const [first = ''] = curves(
      minute((at) => ({ decisions: at === 7 ? 100 : 1 })),
      80,
    );
    assert.match(first, / ▂█▂+ {2}100\/s /);
  });

  it('leave out seconds in which nothing was counted', () => {
    const [first = '', last = ''] = curves([
      second(0, { decisions: 1 }),
      second(58),
      second(59, { decisions: 2, p99Seconds: 1 }),
    ]);
    assert.match(first, /decisions {2}▅ {57}▁█ {2}2\/s/);
    assert.match(last, / p99 {5} {59} *█ {2}1 s$/);
  });

  it('fit, and are as wide as they can be', () => {
    const seconds = minute(() => ({ decisions: 12_345, denied: 123, byPolicy: 1234, p99Seconds: 0.0123 }));
    const widths = [];
    for (let columns = 1; columns <= 250; columns++) {
      const lines = curves(seconds, columns);
      assert.ok(
        lines.every((line) => widthOf(line) <= columns),
        `${columns}`,
      );
      widths.push(lines.join().match(/█+/)?.[0].length ?? 0);
    }
    assert.deepEqual([...new Set(widths)], [0, 10, 12, 15, 20, 30, 60]);
    assert.ok((widths[79] ?? 0) >= 10, 'on 80 columns there are some');
    assert.equal(widths[199], 60);
  });

  it('are absent before the first second', () => assert.deepEqual(curves([]), []));
});

describe('a terminal without UTF-8', () => {
  it('is one whose locale is another, or none', () => {
    assert.equal(isUtf8({ LANG: 'de_DE.UTF-8' }), true);
    assert.equal(isUtf8({ LANG: 'C', LC_ALL: '', LC_CTYPE: 'C.utf8' }), true);
    assert.equal(isUtf8({ LANG: 'de_DE.UTF-8', LC_ALL: 'POSIX' }), false);
    assert.equal(isUtf8({ LANG: 'de_DE.ISO-8859-1' }), false);
    assert.equal(isUtf8({}), false);
  });

  it('gets everything in ASCII, as wide as it was', () => {
    assert.equal(inAscii('▁▂▃▄▅▆▇█ cut…'), '_.-:=+*# cut~');
    for (const text of ['plain', 'größe', '日本 x', 'e\u0301', '👩‍👩‍👧 y']) {
      assert.match(inAscii(text), /^\p{ASCII}*$/u);
      assert.equal(inAscii(text).length, stringWidth(text), text);
    }
  });
});
