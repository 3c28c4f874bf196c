import { isIPv4 } from 'node:net';
import { formatAddress, parseAddress } from '../../contract/address.ts';

const HOST = /^(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::\d{1,5})?$/;

/**
 * Whether a request is meant for us: its host is this machine's own (`ssh -L` ends there), the address that it came to, or
 * one that is configured. A page of a stranger's can point a name of its own here and have the browser read what answers;
 * the header `host` then has that name (DNS rebinding).
 */
export function isAllowedHost(host: string, cameTo: string | undefined, hosts: readonly string[]): boolean {
  const { ipv6, name = '' } = HOST.exec(host)?.groups ?? {};
  const asked = ipv6 === undefined ? name.toLowerCase() : `[${ipv6}]`;
  if (asked === '') return false;
  if (asked === 'localhost' || isLoopback(ipv6 ?? name)) return true;
  const address = canonical(ipv6 ?? name);
  if (ipv6 !== undefined && address !== undefined && isIPv4(address)) return false; // no browser writes it so
  if (address !== undefined && cameTo !== undefined && address === canonical(cameTo)) return true;
  return hosts.some(
    (own) => own.toLowerCase() === asked || (address !== undefined && canonical(bare(own)) === address),
  );
}

function isLoopback(address: string): boolean {
  return canonical(address) === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/** One text for each address; a socket of both families calls an IPv4 address `::ffff:192.0.2.1`. */
function canonical(text: string): string | undefined {
  const bytes = parseAddress(text);
  return bytes && formatAddress(bytes);
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
