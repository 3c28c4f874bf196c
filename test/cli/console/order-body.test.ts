import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OrderBody } from '../../../cli/console/order-body.ts';

describe('the body of an order', () => {
  it('is a line and what follows, however it is split', async () => {
    const parts = fc.tuple(fc.stringMatching(/^[^\n]*$/), fc.string({ unit: 'binary' }), fc.infiniteStream(fc.integer({ min: 1, max: 9 })));
    await fc.assert(
      fc.asyncProperty(parts, async ([line, rest, sizes]) => {
        const body = new OrderBody(Readable.from(split(Buffer.from(`${line}\n${rest}`), sizes)));
        assert.equal(await body.line(), Buffer.from(line).toString());
        assert.equal(await text(body.bytes()), Buffer.from(rest).toString());
      }),
    );
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
    await assert.rejects(text(large.bytes()), /^CliError: nothing was written: the file is larger than the 1 MiB that this page takes/);
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

function* split(bytes: Buffer, sizes: Iterator<number>): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = Number(sizes.next().value);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function* pieces(text: string): Generator<Buffer> {
  for (;;) yield Buffer.from(text);
}
