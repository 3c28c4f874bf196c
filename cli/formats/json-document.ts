import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { duplicateName } from './duplicate-names.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedLine } from './feed-line.ts';

/** A JSON document is one value and is read whole; what is larger comes as NDJSON, which has no limit. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** Reads a format that is one JSON document. */
export function readingDocument(
  read: (document: unknown, source: FeedSource) => Iterable<FeedLine>,
): FeedFormat['read'] {
  return async function* (source) {
    yield* read(await readDocument(source.bytes, source.name), source);
  };
}

/** Reads all of it as one JSON value. `name` is for messages. */
async function readDocument(bytes: AsyncIterable<Uint8Array>, name: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > MAX_DOCUMENT_BYTES)
      throw new CliError(
        EXIT.failed,
        `${name}: a JSON document of more than ${MAX_DOCUMENT_BYTES / 1024 / 1024} MiB is not read: write it as NDJSON, one object per line`,
      );
    chunks.push(chunk);
  }
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  const document = parsed(text, name);
  const twice = duplicateName(text);
  if (twice === undefined) return document;
  throw new CliError(EXIT.failed, `${name} has "${printable(twice, 60)}" twice in one object, which is ambiguous`);
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(EXIT.failed, `${name} is not JSON: ${printable(error.message, 120)}`);
  }
}
