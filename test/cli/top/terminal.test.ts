import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { ReadStream, WriteStream } from 'node:tty';
import { Terminal } from '../../../cli/top/terminal.ts';

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

function setUp() {
  const raw: boolean[] = [];
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => raw.push(mode) });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 30 });
  const seen: { keys: (string | undefined)[]; resized: number } = { keys: [], resized: 0 };
  const terminal = new Terminal(
    input as unknown as ReadStream, // as much of it as is used
    output as unknown as WriteStream,
    { pressed: ({ name, sequence }) => seen.keys.push(name ?? sequence), resized: () => seen.resized++ },
    false,
  );
  const written = () => String(output.read() ?? '');
  return { terminal, input, output, raw, seen, written };
}

describe('the terminal of top', () => {
  it('is taken over and given back as it was, once', () => {
    const before = process.listenerCount('exit');
    const { terminal, raw, written } = setUp();
    terminal.draw([{ text: 'hello', tone: 'plain' }]);
    terminal.close();
    assert.equal(written(), `${ENTER}\x1b[Hhello\x1b[K\x1b[J${LEAVE}`);
    assert.deepEqual(raw, [true, false]);
    assert.equal(process.listenerCount('exit'), before);
  });

  it('tells each key, also of several at once, and a sequence as one', async () => {
    const { terminal, input, seen } = setUp();
    for (const keys of ['x', '\x1b[A', '/7ü', '\x03']) {
      input.write(keys);
      await new Promise(setImmediate);
    }
    assert.deepEqual(seen.keys, ['x', 'up', '/', '7', 'ü', 'c']);
    terminal.close();
  });

  it('tells another size, and takes a usual one where the terminal has none', () => {
    const { terminal, output, seen } = setUp();
    assert.deepEqual(terminal.size, { columns: 100, rows: 30 });
    Object.assign(output, { columns: 0, rows: 0 }).emit('resize');
    assert.equal(seen.resized, 1);
    assert.deepEqual(terminal.size, { columns: 80, rows: 24 });
    terminal.close();
  });
});
