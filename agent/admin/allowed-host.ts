import { isIPv4 } from 'node:net';
import { formatAddress, parseAddress } from '../../contract/address.ts';

const HOST = /^(?:\[(?<ipv6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::\d{1,5})?$/;

/**
 * Whether the Host header of a request is a loopback name (as through `ssh -L`), the local address of the connection, or a
 * configured host. This prevents DNS rebinding: a foreign page can resolve its own name to this address and have the
 * browser read the response, but the Host header then has that name.
 */
export function isAllowedHost(host: string, localAddress: string | undefined, hosts: readonly string[]): boolean {
  const { ipv6, name = '' } = HOST.exec(host)?.groups ?? {};
  const asked = ipv6 === undefined ? name.toLowerCase() : `[${ipv6}]`;
  if (asked === '') return false;
  if (asked === 'localhost' || isLoopback(ipv6 ?? name)) return true;
  const address = canonical(ipv6 ?? name);
  if (ipv6 !== undefined && address !== undefined && isIPv4(address)) return false; // no browser writes it so
  if (address !== undefined && localAddress !== undefined && address === canonical(localAddress)) return true;
  return hosts.some(
    (own) => own.toLowerCase() === asked || (address !== undefined && canonical(bare(own)) === address),
  );
}

function isLoopback(address: string): boolean {
  return canonical(address) === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/** The canonical text of an address; a dual-stack socket reports IPv4 as `::ffff:192.0.2.1`. */
function canonical(text: string): string | undefined {
  const bytes = parseAddress(text);
  return bytes && formatAddress(bytes);
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
