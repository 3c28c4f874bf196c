import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { OrderBody } from '../../../cli/console/order-body.ts';

describe('the body of an order', () => {
  it('is a line and what follows, however it is split', async () => {
    const [line, rest] = ['{"é":1}', 'ä\n\n\0€'];
    const whole = Buffer.from(`${line}\n${rest}`);
    for (let size = 1; size <= whole.length; size++) {
      const body = new OrderBody(Readable.from(split(whole, size)));
      assert.equal(await body.line(), line);
      assert.equal(await text(body.bytes()), rest);
    }
  });

  it('without a line feed is a line', async () => {
    const body = new OrderBody(Readable.from([Buffer.from('a'), Buffer.from('b')]));
    assert.equal(await body.line(), 'ab');
    assert.equal(await text(body.bytes()), '');
  });

  it('has a bound for the line and one for everything', async () => {
    const endless = new OrderBody(Readable.from(pieces('x'.repeat(1024))));
    assert.equal(await endless.line(), undefined);
    const large = new OrderBody(Readable.from(pieces(`${'x'.repeat(1023)}\n`)), 1024 * 1024);
    await large.line();
    await assert.rejects(
      text(large.bytes()),
      /^CliError: nothing was written: the file is larger than the 1 MiB that this page takes/,
    );
  });

  it('can be drained after its reader stopped', async () => {
    const request = Readable.from([Buffer.from('a\nb'), Buffer.from('c'), Buffer.from('d')]);
    const body = new OrderBody(request);
    await body.line();
    for await (const _chunk of body.bytes()) break;
    await body.drain();
    assert.equal(request.readableEnded, true);
  });
});

function* split(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function* pieces(text: string): Generator<Buffer> {
  for (;;) yield Buffer.from(text);
}
