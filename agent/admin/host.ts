import { isIPv4 } from 'node:net';

const HOST = /^(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9.-]+))(?::\d{1,5})?$/;

/**
 * Whether a request to a loopback address is meant for it. A page of a stranger's can point a name of its own at
 * 127.0.0.1 and have the browser read what answers there; the header `host` then has that name (DNS rebinding).
 */
export function isLoopbackHost(host: string): boolean {
  const { ipv6, name = '' } = HOST.exec(host)?.groups ?? {};
  if (ipv6 !== undefined) return ipv6 === '::1';
  return name.toLowerCase() === 'localhost' || isLoopback(name);
}

export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}
