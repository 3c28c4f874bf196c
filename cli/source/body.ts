import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { shown } from '../../contract/shown.ts';
import { FetchError, toFetchError } from './fetch-error.ts';

/** More than any list there is; also what a compressed one may become. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;

/** The bytes of an answer, unpacked; one that ends too early is an error, since it would be a shorter list. */
export async function* bodyOf(name: string, body: Readable, headers: IncomingHttpHeaders): AsyncGenerator<Uint8Array> {
  try {
    yield* bounded(unpacked(body, headers['content-encoding']));
  } catch (error) {
    throw toFetchError(name, error);
  } finally {
    body.destroy();
  }
}

function unpacked(body: Readable, encoding: string | undefined): AsyncIterable<Uint8Array> {
  if (encoding === undefined || encoding === 'identity') return body;
  // what goes wrong on either side ends the iteration over the other, so the callback has nothing to do
  if (encoding === 'gzip' || encoding === 'x-gzip') return pipeline(body, createGunzip(), () => undefined);
  throw new FetchError(`answered in encoding ${shown(encoding)}, only gzip was asked for`);
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
