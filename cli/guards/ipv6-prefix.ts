import { formatNetwork, masked, parseAddress, parseNetwork } from '../../contract/address.ts';

/** The network that agents with this `ipv6Prefix` look up instead of the subject; undefined if they look up the subject. */
export function lookedUpInstead(subject: string, ipv6Prefix: number): string | undefined {
  if (!subject.startsWith('ip:')) return undefined;
  const value = subject.slice('ip:'.length);
  const bytes = parseAddress(value);
  const network = bytes === undefined ? parseNetwork(value) : masked(bytes, bytes.length * 8);
  if (network?.bytes.length !== 16 || network.prefix <= ipv6Prefix) return undefined;
  return `ip:${formatNetwork(masked(network.bytes, ipv6Prefix))}`;
}
