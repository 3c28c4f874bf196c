import type { IncomingHttpHeaders } from 'node:http';
import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { printable } from '../../contract/printable.ts';
import { FetchError, toFetchError } from './fetch-error.ts';

/** Above the size of any list; also the limit after decompression. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** No list compresses this well; more is a decompression bomb. Checked once enough bytes were read. */
const MAX_RATIO = 100;
const TELLING_BYTES = 8 * 1024 * 1024;

/** The largest window that every decoder supports (RFC 8878 3.1.1.1.2). */
const ZSTD_WINDOW_LOG = 23;

type Unpacker = Transform & { readonly bytesWritten: number };

/** The supported encodings; only gzip is requested, since it has a checksum of the content. */
const UNPACKERS: Readonly<Record<string, () => Unpacker>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  br: () => zlib.createBrotliDecompress(),
  deflate: () => zlib.createInflate(),
  zstd: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
};

const ENCODINGS = 'gzip, deflate, br or zstd';

/** The decompressed bytes of an answer. Throws if it is truncated, since the list would be too short. */
export async function* bodyOf(name: string, body: Readable, headers: IncomingHttpHeaders): AsyncGenerator<Uint8Array> {
  body.on('error', () => {}); // the reader gets the error; without a reader it does not matter
  try {
    yield* bounded(unpacked(body, encodingOf(headers)));
  } catch (error) {
    throw toFetchError(name, error);
  } finally {
    body.destroy();
  }
}

/** The content encoding; undefined if there is none. */
function encodingOf({
  'content-encoding': encoding,
  'transfer-encoding': transfer,
}: IncomingHttpHeaders): string | undefined {
  const [first, ...more] = codingsIn(encoding, ['identity']).concat(codingsIn(transfer, ['chunked', 'identity']));
  if (more.length > 0)
    throw new FetchError(
      `answered in several encodings, ${printable([first, ...more].join(', '))}: only one of ${ENCODINGS} is read`,
    );
  if (first !== undefined && !Object.hasOwn(UNPACKERS, first))
    throw new FetchError(`answered in encoding ${printable(first)}: only ${ENCODINGS} is read`);
  return first;
}

function codingsIn(header: string | readonly string[] | undefined, plain: readonly string[]): string[] {
  const codings = String(header ?? '').split(',');
  return codings
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && !plain.includes(coding));
}

async function* unpacked(body: Readable, encoding: string | undefined): AsyncGenerator<Uint8Array> {
  if (encoding === undefined) return yield* body;
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  const beginning = await chunks.next();
  if (beginning.done === true) throw new FetchError('is empty, but should be compressed: it is incomplete');
  const unpacker = UNPACKERS[encoding]?.() as Unpacker; // `encodingOf` returns no other
  let received = 0;
  const counted = async function* () {
    for (let next: IteratorResult<Uint8Array> = beginning; next.done !== true; next = await chunks.next()) {
      received += next.value.length;
      yield next.value;
    }
  };
  let length = 0;
  // an error on either side ends the iteration over the other, so the callback has nothing to do
  for await (const chunk of pipeline(Readable.from(counted()), unpacker, () => undefined)) {
    length += chunk.length;
    if (length > TELLING_BYTES && length > MAX_RATIO * unpacker.bytesWritten)
      throw new FetchError(`unpacks to more than ${MAX_RATIO} times its size`);
    yield chunk;
  }
  if (unpacker.bytesWritten < received) throw new FetchError('has data after the end of its compressed content');
}

async function* bounded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES)
      throw new FetchError(`is larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB, which is more than is fetched`);
    yield chunk;
  }
}
