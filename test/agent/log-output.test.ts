import assert from 'node:assert/strict';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LogOutput } from '../../agent/log-output.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { stalledPipe } from '../support/stalled-pipe.ts';
import { until } from '../support/until.ts';

const BOUND = 1024 * 1024;
const lineOf = (index: number, size = 1000) => `${String(index).padStart(size - 1, '-')}\n`;

describe('the output of the log', () => {
  it('keeps a bound, drops and counts what is past it, and tells of it where the lines are missing', async (t) => {
    const pipe = stalledPipe(t);
    const output = nonBlocking(t, pipe.path);
    output.onRoom = (dropped) => output.write(`lost ${dropped}\n`);
    const total = 3000;
    for (let index = 0; index < total; index++) output.write(lineOf(index));
    const kept = Math.floor(BOUND / 1000);
    assert.equal(output.dropped, total - kept);
    await pipe.lineLike(/^lost/);
    output.write(lineOf(total));
    await pipe.lineLike(new RegExp(`-${total}$`));
    assert.deepEqual(
      pipe.lines.map((line) => line.replace(/^-+/, '')),
      [...Array.from({ length: kept }, (_, index) => String(index)), `lost ${total - kept}`, String(total)],
    );
    assert.equal(output.dropped, total - kept);
  });

  it('counts bytes, not characters', (t) => {
    const output = nonBlocking(t, stalledPipe(t).path);
    for (let index = 0; index < 3; index++) output.write(`${'€'.repeat(BOUND / 6)}\n`);
    assert.equal(output.dropped, 1);
  });

  it('goes on after a line that is too long for it', async (t) => {
    const file = join(temporaryFolder(t), 'log');
    const output = new LogOutput(openSync(file, 'a'));
    output.onRoom = (dropped) => output.write(`lost ${dropped}\n`);
    output.write('x'.repeat(BOUND + 1));
    output.write('next\n');
    await output.close();
    assert.equal(readFileSync(file, 'utf8'), 'lost 1\nnext\n');
  });

  it('writes all before it is closed, and nothing after', async (t) => {
    const file = join(temporaryFolder(t), 'log');
    const output = new LogOutput(openSync(file, 'a'));
    const lines = Array.from({ length: 900 }, (_, index) => lineOf(index));
    for (const line of lines) output.write(line);
    await output.close();
    output.write('late\n');
    assert.equal(readFileSync(file, 'utf8'), lines.join(''));
    assert.equal(output.dropped, 1);
  });

  it('keeps what a full disk and a reader that is gone do not take, and ends all the same', async (t) => {
    const pipe = stalledPipe(t);
    pipe.closeReader();
    for (const output of [new LogOutput(openSync('/dev/full', 'w')), new LogOutput(pipe.writeEnd)]) {
      for (let index = 0; index < 10; index++) output.write(lineOf(index));
      await output.close();
      assert.equal(output.dropped, 0);
    }
  });

  it('goes on with a new reader after the old one is gone, with no line lost or torn', async (t) => {
    const pipe = stalledPipe(t);
    const output = nonBlocking(t, pipe.path);
    output.write('first\n');
    pipe.closeReader();
    for (let index = 0; index < 10; index++) output.write(lineOf(index));
    const reader = openSync(pipe.path, constants.O_RDONLY | constants.O_NONBLOCK);
    t.after(() => closeSync(reader));
    let text = '';
    await until(
      () => {
        text += readSome(reader);
        return text.endsWith(lineOf(9));
      },
      () => text.slice(-2000),
    );
    const own = text.split('\n').filter((line) => !/^x*$/.test(line));
    assert.deepEqual(own, ['first', ...Array.from({ length: 10 }, (_, index) => lineOf(index).trimEnd())]);
    await output.close();
  });
});

function nonBlocking(t: TestContext, path: string): LogOutput {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const output = new LogOutput(descriptor);
  t.after(() => output.close());
  assert.ok(fstatSync(descriptor).isFIFO());
  return output;
}

function readSome(descriptor: number): string {
  const into = Buffer.alloc(1024 * 1024);
  try {
    return into.toString('utf8', 0, readSync(descriptor, into));
  } catch {
    return ''; // nothing there now
  }
}
