import type { IncomingHttpHeaders } from 'node:http';
import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { printable } from '../../contract/printable.ts';
import { FetchError, toFetchError } from './fetch-error.ts';

/** More than any list there is; also what a compressed one may become. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** No list packs this well; what does is made to cost more than it weighs. Looked at once there is enough to tell. */
const MAX_RATIO = 100;
const TELLING_BYTES = 8 * 1024 * 1024;

/** The window that all who decode must have, and no more need (RFC 8878 3.1.1.1.2). */
const ZSTD_WINDOW_LOG = 23;

type Unpacker = Transform & { readonly bytesWritten: number };

/** All that are read; only gzip is asked for, since it has a checksum of what was packed. */
const UNPACKERS: Readonly<Record<string, () => Unpacker>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  br: () => zlib.createBrotliDecompress(),
  deflate: () => zlib.createInflate(),
  zstd: () => zlib.createZstdDecompress({ params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
};

const ENCODINGS = 'gzip, deflate, br or zstd';

/** The bytes of an answer, unpacked; one that ends too early is an error, since it would be a shorter list. */
export async function* bodyOf(name: string, body: Readable, headers: IncomingHttpHeaders): AsyncGenerator<Uint8Array> {
  body.on('error', () => {}); // who reads is told; one that is given up unread has nobody to tell
  try {
    yield* bounded(unpacked(body, encodingOf(headers)));
  } catch (error) {
    throw toFetchError(name, error);
  } finally {
    body.destroy();
  }
}

/** Undefined where the bytes are the list itself. */
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
  const unpacker = UNPACKERS[encoding]?.() as Unpacker; // `encodingOf` lets no other through
  let received = 0;
  const counted = async function* () {
    for (let next: IteratorResult<Uint8Array> = beginning; next.done !== true; next = await chunks.next()) {
      received += next.value.length;
      yield next.value;
    }
  };
  let length = 0;
  // what goes wrong on either side ends the iteration over the other, so the callback has nothing to do
  for await (const chunk of pipeline(Readable.from(counted()), unpacker, () => undefined)) {
    length += chunk.length;
    if (length > TELLING_BYTES && length > MAX_RATIO * unpacker.bytesWritten)
      throw new FetchError(`unpacks to more than ${MAX_RATIO} times its size`);
    yield chunk;
  }
  if (unpacker.bytesWritten < received)
    throw new FetchError('has more after the end of its compression: it is not whole');
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
