import type { Random } from '../spop/random.ts';
import { filler } from './mutation.ts';
import { PLAIN, type RawRequest, written } from './raw-request.ts';

/** The same request in a way in which few send one: another version, lines that end otherwise, or behind another request. */
export function transported(request: RawRequest, random: Random): RawRequest {
  if (random.oneIn(6)) return { ...request, protocol: 'http/2' };
  if (!random.oneIn(4)) return request;
  return random.pick(WAYS)(request, random);
}

type Way = (request: RawRequest, random: Random) => RawRequest;

const WAYS: readonly Way[] = [
  (request) => ({ ...request, version: '1.0' }),
  (request, random) => ({
    ...request,
    version: random.pick(['1.2', '0.9', '2.0', '1.1 ', '01.1', '1.10', '1', '11', '1.1\t']),
  }),
  (request) => ({ ...request, headers: request.headers.filter((line) => !/^host:/i.test(line)) }),
  (request) => ({ ...request, headers: [...request.headers, 'host: ok.example'] }),
  (request, random) => ({ ...request, before: random.pick(['\r\n', '\n', '\r\n\r\n', '\0', ' ']) }),
  (request, random) => ({ ...request, method: request.method + random.pick(['\t', ' ', '  ', '\x0b']) }),
  (request, random) => ({
    ...request,
    target: request.target + random.pick([' ', '\t', ' x', '\x0c', '\r', ' HTTP/1.1']),
  }),
  (request, random) => ({ ...request, headers: [`x-filler: ${filler(random)}`, ...request.headers] }),
  (request, random) => ({ ...request, headers: [...request.headers, random.pick(ODD_LINES)] }),
  (request) => ({
    ...request,
    headers: [...request.headers, 'connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAMA'],
  }),
  (request) => ({
    ...request,
    headers: [...request.headers, 'connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'],
  }),
  (request, random) => ({ ...request, newline: random.pick(['\n', '\r', '\r\r\n', '\n\r']) }),
  behind,
  inBody,
];

const ODD_LINES = [
  'x',
  ': x',
  ' x: y',
  'x y: z',
  'x\0: y',
  '\xe9: x',
  'x: \0',
  'x: y\rz',
  'x: y\nz',
  '',
  'content-length: 0',
];

/** Behind a request that nobody minds, on one connection. */
function behind(request: RawRequest): RawRequest {
  return { ...request, before: 'GET /x HTTP/1.1\r\nhost: ok.example\r\n\r\n' };
}

const FRAMINGS = [
  ...[
    ['transfer-encoding: chunked'],
    ['Transfer-Encoding : chunked'],
    ['transfer-encoding: xchunked'],
    ['transfer-encoding:\x0bchunked'],
  ],
  ...[
    ['transfer-encoding: chunked', 'transfer-encoding: identity'],
    ['transfer-encoding: identity, chunked'],
    ['transfer-encoding: chunked, x'],
  ],
  ...[
    ['transfer_encoding: chunked'],
    ['transfer-encoding: Chunked'],
    ['x: y\r\n transfer-encoding: chunked'],
    ['transfer-encoding: "chunked"'],
  ],
];
const LENGTHS = [
  'content-length: LENGTH',
  'content-length: +LENGTH',
  'content-length: 0',
  'content-length: 5',
  'content-length: LENGTH, LENGTH',
];

/** As the body of a request that nobody minds, whose end one reads here and another there. */
function inBody(request: RawRequest, random: Random): RawRequest {
  const inner = `${random.pick(['0\r\n\r\n', '', '\r\n', '0\n\n', '0;x\r\n\r\n'])}${written({ ...request, protocol: 'http/1' }).toString('latin1')}`;
  const length = random.pick(LENGTHS).replaceAll('LENGTH', String(inner.length));
  const framing = [...(random.oneIn(4) ? [] : [length]), ...(random.oneIn(3) ? [] : random.pick(FRAMINGS))];
  return {
    ...PLAIN,
    method: random.pick(['POST', 'GET', 'OPTIONS', 'HEAD']),
    headers: [...PLAIN.headers, ...framing],
    body: inner,
  };
}
