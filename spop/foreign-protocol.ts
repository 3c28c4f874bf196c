const HTTP = 'HTTP, not SPOP: only HAProxy\'s "filter spoe" may connect here';
const TLS = 'TLS, not SPOP: the server line of HAProxy must be without "ssl"';
const PROXY = 'the PROXY protocol, not SPOP: the server line of HAProxy must be without "send-proxy"';

/** How connections begin that are not SPOP; as the length of a frame, each of these is far above any limit. */
const BEGINNINGS: readonly (readonly [beginning: string, what: string])[] = [
  ...['GET ', 'HEAD', 'POST', 'PUT ', 'DELE', 'PATC', 'OPTI', 'CONN', 'TRAC', 'PRI '].map(
    (verb) => [verb, HTTP] as const,
  ),
  ['\x16\x03', TLS],
  ['PROX', PROXY],
  ['\r\n\r\n', PROXY],
  ['SSH-', 'SSH, not SPOP'],
];

/** What begins with these four bytes, and what would be right; undefined for anything unknown. */
export function foreignProtocol(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes);
  return BEGINNINGS.find(([beginning]) => text.startsWith(beginning))?.[1];
}
