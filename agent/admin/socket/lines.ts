const NEWLINE = 0x0a;

/** A line is longer than allowed. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/** The lines of a stream, without line feeds; the last one needs none. Throws `LineTooLong` as soon as a line is. */
export async function* linesOf(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (bytes + end - from > maxBytes) throw new LineTooLong();
      yield textOf([...parts, chunk.subarray(from, end)]);
      parts = [];
      bytes = 0;
      from = end + 1;
    }
    bytes += chunk.length - from;
    if (bytes > maxBytes) throw new LineTooLong();
    if (from < chunk.length) parts.push(chunk.subarray(from));
  }
  if (bytes > 0) yield textOf(parts);
}

function textOf(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString();
}
