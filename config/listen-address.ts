import { isIPv6 } from 'node:net';
import { type ListenAddress, MAX_UNIX_PATH_BYTES } from '../spop/server/listen-address.ts';

export type { ListenAddress, UnixAddress } from '../spop/server/listen-address.ts';
export { MAX_UNIX_PATH_BYTES } from '../spop/server/listen-address.ts';

/** This path goes on a `server` line of HAProxy, where any other character would need quoting. */
const UNIX_PATH = /^\/[A-Za-z0-9_./@:+-]+$/;
const TCP = /^tcp:\/\/(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/;

export function isUnixPath(text: string): boolean {
  return UNIX_PATH.test(text) && Buffer.byteLength(text) <= MAX_UNIX_PATH_BYTES;
}

/** Parses `tcp://HOST:PORT`, `tcp://[IPV6]:PORT` or `unix:/PATH`; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    return isUnixPath(path) ? { type: 'unix', path } : undefined;
  }
  const { ipv6, host, port } = TCP.exec(text)?.groups ?? {};
  if (Number(port) > 65_535 || (ipv6 !== undefined && !isIPv6(ipv6))) return undefined;
  const name = ipv6 ?? host;
  return name === undefined ? undefined : { type: 'tcp', host: name, port: Number(port) };
}

/** The address as the configuration writes it. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.type === 'unix') return `unix:${address.path}`;
  return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
