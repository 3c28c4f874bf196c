/** A request as somebody writes it who obeys no standard; each character is a byte. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** What stands after `HTTP/` in the request line. */
  readonly version: string;
  /** Whole lines, which may lack what makes them a header. */
  readonly headers: readonly string[];
  readonly body: string;
  /** What stands before the request line. */
  readonly before: string;
  readonly newline: string;
  readonly protocol: 'http/1' | 'http/2';
}

export const PLAIN: RawRequest = {
  method: 'GET',
  target: '/x',
  version: '1.1',
  headers: ['host: ok.example'],
  body: '',
  before: '',
  newline: '\r\n',
  protocol: 'http/1',
};

/** Its bytes; the server is asked to close the connection, which ends the answer, unless the request says otherwise. */
export function written(request: RawRequest): Buffer {
  if (request.protocol === 'http/2') return writtenAsHttp2(request);
  const { method, target, version, headers, body, before, newline } = request;
  const ending = headers.some((line) => /^connection:/i.test(line)) ? [] : ['connection: close'];
  const lines = [`${method} ${target} HTTP/${version}`, ...headers, ...ending, '', body];
  return Buffer.from(before + lines.join(newline), 'latin1');
}

const CONNECTION = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEADERS = 1;
const SETTINGS = 4;
const DATA = 0;
const END_STREAM = 0x01;
const END_HEADERS = 0x04;
const STREAM = 1;

/**
 * As one stream whose headers are written out, so that nothing is corrected on the way. What says that it is HTTP/1.0 names
 * its host in a header only.
 */
function writtenAsHttp2({ method, target, version, headers, body }: RawRequest): Buffer {
  const fields = headers.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^ /, '')];
  });
  const absolute = /^(https?):\/\/([^/?#]*)(.*)$/is.exec(target);
  const host = fields.find(([name]) => name === 'host')?.[1];
  const authority = version === '1.0' ? undefined : (absolute?.[2] ?? host);
  const pseudo: [string, string][] = [
    [':method', method],
    [':scheme', (absolute?.[1] ?? 'http').toLowerCase()],
    [':path', absolute?.[3] ?? target],
    ...(authority === undefined ? [] : [[':authority', authority] as [string, string]]),
  ];
  const others = fields.filter(([name, value]) => name !== 'host' || value !== authority);
  const block = Buffer.concat([...pseudo, ...others].map(([name, value]) => literal(name, value)));
  return Buffer.concat([
    Buffer.from(CONNECTION),
    frame(SETTINGS, 0, 0, Buffer.alloc(0)),
    frame(HEADERS, body === '' ? END_HEADERS | END_STREAM : END_HEADERS, STREAM, block),
    ...(body === '' ? [] : [frame(DATA, END_STREAM, STREAM, Buffer.from(body, 'latin1'))]),
  ]);
}

function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, body]);
}

/** A header that is not to be remembered, without Huffman codes (RFC 7541 6.2.2). */
function literal(name: string, value: string): Buffer {
  const text = (part: string) => Buffer.concat([length(part.length), Buffer.from(part, 'latin1')]);
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function length(count: number): Buffer {
  if (count < 127) return Buffer.from([count]);
  const bytes = [127];
  let rest = count - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
