import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { freePort } from '../../dev/free-port.ts';

describe('a free port', () => {
  it('is given once, although nobody listens there yet', async (t) => {
    const chances = [0.25, 0.25, 0.5];
    t.mock.method(Math, 'random', () => chances.shift());
    const [first, second] = [await freePort(), await freePort()];
    assert.deepEqual([chances.length, second - first], [0, Math.floor(22_768 * 0.5) - Math.floor(22_768 * 0.25)]);
  });

  it('is none that fetch refuses', async (t) => {
    const chances = [80.5 / 22_768, 0.9];
    t.mock.method(Math, 'random', () => chances.shift());
    assert.equal(await freePort(), 10_000 + Math.floor(22_768 * 0.9));
    await assert.rejects(fetch('http://127.0.0.1:10080/'), ({ cause }: Error) => /bad port/.test(String(cause)));
  });

  it('is none where somebody listens', async (t) => {
    const chances = [0.75, 0.8];
    const taken = createServer().listen(10_000 + Math.floor(22_768 * 0.75));
    t.after(() => taken.close());
    t.mock.method(Math, 'random', () => chances.shift());
    assert.equal(await freePort(), 10_000 + Math.floor(22_768 * 0.8));
  });
});
