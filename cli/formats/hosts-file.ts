import { formatAddress, parseAddress } from '../../contract/address.ts';
import { printable } from '../../contract/printable.ts';
import { InvalidLineError } from './invalid-line.ts';

/** Names that a hosts file has for this host and its networks. */
const LOCAL = /^(localhost(\.localdomain)?|local|broadcasthost|ip6-[a-z]+|localhost6?(\.localdomain6?)?|0\.0\.0\.0)$/i;
/** What is on a line with `localhost` is a name of this host as well. */
const LOCALHOST = /^localhost[46]?$/i;
const LOOPBACK = /^(127\.0\.0\.1|::1)$/;
/** Addresses that lead nowhere: a name that is mapped to one is blocked. */
const NOWHERE = /^(0\.0\.0\.0|127\.\d+\.\d+\.\d+|::1?)$/;
/** Where Debian maps the name of this host to. */
const OWN = '127.0.1.1';

/** Whether this line of a hosts file blocks a name. */
export function isBlockedByHosts([address = '', name = '']: readonly string[]): boolean {
  return isNowhere(address) && name !== '' && !/^[\d.:/-]*$/.test(name);
}

/** The names that a line of a hosts file blocks; undefined if it is no such line. */
export function namesOfHostsLine([address = '', ...names]: readonly string[]): readonly string[] | undefined {
  if (names.length === 0 || parseAddress(address.replace(/%.*$/, '')) === undefined) return undefined;
  if (address === OWN || (LOOPBACK.test(address) && names.some((name) => LOCALHOST.test(name)))) return [];
  const foreign = names.filter((name) => !LOCAL.test(name));
  if (foreign.length > 0 && !isNowhere(address))
    throw new InvalidLineError(
      `maps ${printable(foreign[0] ?? '')} to ${address}: a hosts file that blocks maps to 0.0.0.0 or 127.0.0.1`,
    );
  return foreign;
}

function isNowhere(text: string): boolean {
  const bytes = parseAddress(text);
  return bytes !== undefined && NOWHERE.test(formatAddress(bytes));
}
