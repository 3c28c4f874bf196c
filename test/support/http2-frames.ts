import { connect } from 'node:net';

/** Header fields as they go onto the wire, right or not. */
export type Fields = readonly (readonly [name: string, value: string])[];

const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const END_STREAM_AND_HEADERS = 5;
const CANCEL = Buffer.from([0, 0, 0, 8]);

/** The first bytes of a connection with one request in it (RFC 9113), which no library corrects on the way. */
export function firstRequest(fields: Fields): Buffer {
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(SETTINGS, 0, 0, Buffer.alloc(0)),
    frame(HEADERS, END_STREAM_AND_HEADERS, 1, Buffer.concat(fields.map(field))),
  ]);
}

/** What a client sends that wants the answer to its first request no more. */
export const CANCEL_FIRST = frame(RST_STREAM, 0, 1, CANCEL);

export function get(path: string, authority = 'site.example'): Fields {
  return [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', authority],
  ];
}

/** The status of the answer; 0 where the stream or the connection is ended without one. */
export function askOverHttp2(port: number, from: string, fields: Fields): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    let received: Buffer = Buffer.alloc(0);
    const end = (status: number) => {
      socket.destroy();
      resolve(status);
    };
    socket.on('connect', () => socket.write(firstRequest(fields)));
    socket.on('error', () => end(0));
    socket.on('close', () => end(0));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const status = statusIn(received);
      if (status !== undefined) end(status);
    });
  });
}

function statusIn(bytes: Buffer): number | undefined {
  for (let at = 0; at + 9 <= bytes.length; ) {
    const [length, type, stream] = [bytes.readUIntBE(at, 3), bytes[at + 3], bytes.readUInt32BE(at + 5)];
    if (at + 9 + length > bytes.length) return undefined;
    if (type === RST_STREAM && stream === 1) return 0;
    if (type === HEADERS && stream === 1) return decodedStatus(bytes.subarray(at + 9, at + 9 + length));
    at += 9 + length;
  }
  return undefined;
}

/** Statuses of the static table (RFC 7541 A), and others in three digits, plain or by Huffman codes of digits. */
const INDEXED: Readonly<Record<number, number>> = {
  136: 200,
  137: 204,
  138: 206,
  139: 304,
  140: 400,
  141: 404,
  142: 500,
};

function decodedStatus(block: Buffer): number {
  const [first = 0, second = 0] = block;
  const known = INDEXED[first];
  if (known !== undefined) return known;
  const length = second & 0x7f;
  const text = block.subarray(2, 2 + length);
  return second & 0x80 ? Number(digitsOf(text)) : Number(text.toString('latin1'));
}

/** `0`, `1`, `2` have five bits, `3` to `9` six (RFC 7541 B). */
function digitsOf(coded: Buffer): string {
  let bits = [...coded].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let digits = '';
  while (digits.length < 3 && bits.length >= 5) {
    const short = Number.parseInt(bits.slice(0, 5), 2);
    const isShort = short <= 2;
    digits += isShort ? short : Number.parseInt(bits.slice(0, 6), 2) - 0b011001 + 3;
    bits = bits.slice(isShort ? 5 : 6);
  }
  return digits;
}

function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** A literal without indexing, with a name of its own. */
function field([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of seven bits (RFC 7541 5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
