import { type LookupAddress, type LookupOptions, lookup as lookupInDns } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { formatAddress, parseAddress } from '../../contract/address.ts';
import { embeddedIpv4 } from '../guards/embedded-address.ts';
import { FetchError } from './fetch-error.ts';

/** The host of an Azure virtual machine: the only global address with internal cloud services. */
const AZURE_HOST = '168.63.129.16';

/** The well-known NAT64 prefix (RFC 6052), which DNS64 answers with. */
const NAT64 = /^64:ff9b::/;

/**
 * Why an address is internal, in words; undefined for one of the public internet. Everything that is not known to be public
 * counts as internal: loopback, private, link-local, shared, reserved, and IPv6 forms of these.
 */
export function internalReason(address: string): string | undefined {
  const bytes = parseAddress(address);
  if (bytes === undefined) return 'not an internet address';
  const text = formatAddress(bytes);
  if (text === AZURE_HOST) return 'the host of a virtual machine';
  const range = ipaddr.fromByteArray([...bytes]).range();
  if (bytes.length === 4) return range === 'unicast' ? undefined : inWords(range);
  const embedded = [...embeddedIpv4({ bytes, prefix: 128 })].map(({ ipv4 }) =>
    internalReason(formatAddress(ipv4.bytes)),
  );
  const inner = embedded.find((why) => why !== undefined);
  if (inner !== undefined) return inner;
  if (NAT64.test(text)) return undefined;
  const isGlobal = ((bytes[0] ?? 0) & 0xe0) === 0x20; // 2000::/3, the assigned global unicast space
  return isGlobal && range === 'unicast' ? undefined : inWords(range);
}

type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A connector that refuses internal addresses. It checks the addresses of a name in the lookup of the socket itself, so
 * that a different second DNS answer (rebinding) has no effect.
 */
export function externalOnlyConnector(timeoutMs: number, resolve: Resolve = lookupInDns): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, lookup: externalOnlyLookup(resolve) });
  return (options, callback) => {
    const why = isIP(options.hostname) === 0 ? undefined : internalReason(options.hostname);
    if (why === undefined) connect(options, callback);
    else callback(refusal(options.hostname, why), null);
  };
}

type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/** Fails if any address of a name is internal. */
function externalOnlyLookup(resolve: Resolve): Lookup {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      for (const { address } of addresses) {
        const why = internalReason(address);
        if (why !== undefined) return callback(refusal(address, why), '');
      }
      const [first] = addresses;
      if (options.all === true) return callback(null, addresses);
      return callback(null, first?.address ?? '', first?.family);
    });
  };
}

function refusal(address: string, why: string): FetchError {
  return new FetchError(`leads to ${address} (${why}): internal addresses need --inside`);
}

/** `carrierGradeNat` as words. */
function inWords(range: string): string {
  return range === 'unicast' ? 'unallocated' : range.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
