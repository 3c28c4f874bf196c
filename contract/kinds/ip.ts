import {
  coveringNetworks,
  formatNetwork,
  IPV4_PREFIXES,
  IPV6_PREFIXES,
  LONGEST_ADDRESS,
  masked,
  type Network,
  parseAddress,
  parseNetwork,
} from '../address.ts';
import { printable } from '../printable.ts';
import { type Kind, SubjectError } from './kind.ts';

/** Addresses and networks. */
export const IP: Kind = {
  isClientChosen: false,
  maxBytes: LONGEST_ADDRESS,
  canonicalizeEntry: canonicalIp,
  canonicalizeTraffic: (value) => (value.includes('/') ? undefined : formattedAddress(value)),
  covering: (value) => {
    const network = networkOf(value);
    return network === undefined ? [value] : coveringNetworks(network);
  },
  specificity: (value) => {
    const slash = value.indexOf('/');
    return slash < 0 ? Number.POSITIVE_INFINITY : Number(value.slice(slash + 1));
  },
};

function canonicalIp(value: string): string {
  const address = formattedAddress(value);
  if (address !== undefined) return address;
  const network = parseNetwork(value);
  if (network === undefined)
    throw new SubjectError(`"${printable(value)}" is not a valid IPv4 or IPv6 address or network`);
  const exact = masked(network.bytes, network.prefix);
  if (!Buffer.from(exact.bytes).equals(network.bytes))
    throw new SubjectError(`"${value}" has bits set after its prefix: did you mean ${formatNetwork(exact)}?`);
  const lookedUp = network.bytes.length === 4 ? IPV4_PREFIXES : IPV6_PREFIXES;
  if (!lookedUp.includes(network.prefix))
    throw new SubjectError(
      `"${value}" would never match: ${network.bytes.length === 4 ? 'IPv4 networks are looked up from /8 to /32' : 'IPv6 networks are looked up from /16 to /64, and single addresses'}`,
    );
  return formatNetwork(exact);
}

function formattedAddress(value: string): string | undefined {
  const bytes = parseAddress(value);
  return bytes && formatNetwork(masked(bytes, bytes.length * 8));
}

function networkOf(value: string): Network | undefined {
  const bytes = parseAddress(value);
  return bytes === undefined ? parseNetwork(value) : { bytes, prefix: bytes.length * 8 };
}
