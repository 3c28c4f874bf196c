/** Enough to detect the format: a comment block, and lines after it. */
const HEAD_BYTES = 16 * 1024;

/** The beginning of a stream, the whole stream to read, and a way to close it unread. */
export interface Peeked {
  readonly head: Uint8Array;
  readonly all: AsyncIterable<Uint8Array>;
  readonly close: () => Promise<unknown>;
}

export async function peek(bytes: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const iterator = bytes[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  const head = Buffer.concat(chunks);
  return {
    head: head.subarray(0, HEAD_BYTES),
    all: joined(head, iterator),
    close: async () => iterator.return?.(),
  };
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.(); // closes the file or the connection when the reader stops early
  }
}
