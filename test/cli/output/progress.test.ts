import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { startProgress } from '../../../cli/output/progress.ts';

describe('progress', () => {
  it('is a line every five seconds and one at the end where no terminal is', () => {
    const { rim, text, pass } = recorded(false);
    const progress = startProgress({ label: 'writing', total: 1000 }, rim);
    for (let second = 0; second < 11; second++) {
      pass(1000);
      progress.advance(50);
    }
    progress.stop();
    assert.equal(
      text(),
      'writing: 250 of 1000, 50 per second\nwriting: 500 of 1000, 50 per second\nwriting: 550 of 1000, 50 per second\n',
    );
  });

  it('is nothing with quiet, terminal or not', () => {
    for (const isTTY of [true, false]) {
      const { rim, text } = recorded(isTTY);
      const progress = startProgress({ label: 'writing', quiet: true }, rim);
      progress.advance(1);
      progress.stop();
      assert.equal(text(), '');
    }
  });

  it('is a bar on a terminal, without colour where none is wanted', () => {
    const { rim, text, pass } = recorded(true, { NO_COLOR: '1' });
    const progress = startProgress({ label: 'writing', total: 4 }, rim);
    pass(1000);
    progress.advance(2);
    progress.stop();
    assert.match(text(), /writing #{20}-{20} 50 % \| 2\/4 \|/);
  });

  it('counts on a terminal where nobody knows how much there is', () => {
    const { rim, text } = recorded(true);
    const progress = startProgress({ label: 'reading' }, rim);
    progress.advance(7);
    progress.stop();
    assert.match(text(), /reading 7 \| \d+\/s/);
  });
});

function recorded(isTTY: boolean, env: NodeJS.ProcessEnv = {}) {
  let [written, nowMs] = ['', 0];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  return {
    rim: { stream: Object.assign(stream, { isTTY }), env, clock: () => nowMs },
    text: () => written,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}
