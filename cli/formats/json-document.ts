import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedLine } from './feed-line.ts';

/** A JSON document is held in memory as a whole; larger feeds have to be NDJSON. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** Makes the `read` method of a format that is one JSON document. */
export function readingDocument(
  read: (document: unknown, source: FeedSource) => Iterable<FeedLine>,
): FeedFormat['read'] {
  return async function* (source) {
    yield* read(await readDocument(source.bytes, source.name), source);
  };
}

/** Parses the whole input as one JSON value. `name` is for messages. */
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

/** Strings, with the colon that makes one a name, and braces. No other token of JSON contains these characters. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/gs;

/** A name that occurs twice in an object of this JSON, which parsers resolve differently; undefined if none. */
export function duplicateName(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, isName] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(undefined);
    else if (token === '}') open.pop();
    else if (isName !== undefined) {
      const text = token.slice(1, token.lastIndexOf('"'));
      const name = text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text;
      const names = open.at(-1) ?? new Set();
      if (names.has(name)) return name;
      open[open.length - 1] = names.add(name);
    }
  }
  return undefined;
}
