import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { CliError } from '../../../cli/exit/cli-error.ts';
import { bodyOf } from '../../../cli/source/response-body.ts';

const LIST = Array.from({ length: 2000 }, (_, index) => `203.0.${index >> 8}.${index & 255}\n`).join('');
const PACKERS = {
  gzip: zlib.gzipSync,
  'x-gzip': zlib.gzipSync,
  br: zlib.brotliCompressSync,
  deflate: zlib.deflateSync,
  zstd: zlib.zstdCompressSync,
} as const;

describe('a compressed answer', () => {
  for (const [encoding, pack] of Object.entries(PACKERS)) {
    it(`in ${encoding} is read in any case and in any pieces`, async () => {
      const packed = pack(LIST);
      for (const spelled of [encoding, encoding.toUpperCase(), ` ${encoding} , identity`, `,${encoding}`])
        assert.equal(await textOf(packed, spelled), LIST);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: packed.length }), async (size) => {
          assert.equal(await textOf(packed, encoding, size), LIST);
        }),
        { numRuns: 20 },
      );
    });

    it(`in ${encoding} is refused wherever it is cut off, and with anything after its end`, async () => {
      const packed = pack(LIST);
      for (let end = 0; end < packed.length; end += end < 20 ? 1 : 37)
        await expectOneLine(textOf(packed.subarray(0, end), encoding), / is incomplete$/);
      await expectOneLine(
        textOf(Buffer.concat([packed, Buffer.from('\0junk')]), encoding),
        /compressed content$|Content-Encoding$/,
      );
    });

    it(`that says ${encoding} and is something else is refused in one line`, async () => {
      for (const body of [LIST, '<html>', '\u001b[31m'.repeat(9)])
        await expectOneLine(textOf(Buffer.from(body), encoding), /does not match its Content-Encoding$|is incomplete$/);
    });

    it(`in ${encoding} that is spoilt anywhere is one line, or a body`, async () => {
      const packed = pack(LIST);
      for (let at = 0; at < packed.length; at += 11) {
        const spoilt = Buffer.from(packed);
        spoilt[at] = (spoilt[at] ?? 0) ^ 0x55;
        await textOf(spoilt, encoding).catch(refusedInOneLine);
      }
    });

    it(`in ${encoding} that is a bomb is refused by how much it unpacks to`, async () => {
      const bomb = pack(Buffer.alloc(24 * 1024 * 1024, '\n'), encoding === 'br' ? BROTLI_IN_TIME : {});
      await expectOneLine(textOf(bomb, encoding), /unpacks to more than 100 times its size$/);
    });
  }

  for (const encoding of [
    'gzip, br',
    'br,gzip',
    'gzip, gzip',
    'compress',
    'snappy',
    '*',
    'gzip;q=1',
    'constructor',
    'é',
  ])
    it(`in ${encoding} is refused in one line that says what is read`, () =>
      expectOneLine(textOf(zlib.gzipSync(LIST), encoding), /read$/));

  it('whose transfer is compressed as well is refused', async () => {
    await expectOneLine(textOf(zlib.gzipSync(LIST), 'gzip', 9999, 'gzip, chunked'), /several encodings/);
    assert.equal(await textOf(zlib.gzipSync(LIST), undefined, 9999, 'gzip, chunked'), LIST);
  });
});

/** At its best Brotli takes a minute for that much. */
const BROTLI_IN_TIME = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

async function textOf(body: Buffer, encoding: string | undefined, size = body.length, transfer?: string) {
  const pieces = Array.from({ length: Math.ceil(body.length / (size || 1)) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
  const headers = { 'content-encoding': encoding, 'transfer-encoding': transfer };
  return Buffer.concat(await Array.fromAsync(bodyOf('the source', Readable.from(pieces), headers))).toString();
}

async function expectOneLine(promise: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    refusedInOneLine(error);
    assert.match((error as Error).message, message);
    return true;
  });
}

function refusedInOneLine(error: unknown): void {
  assert.ok(error instanceof CliError, String(error));
  assert.match(error.message, /^(the source|cannot fetch the source)[ :]/);
  assert.ok(!/[\p{Cc}\p{Cf}]/u.test(error.message), error.message);
}
