import { masked, type Network, parseNetwork } from '../../contract/address.ts';

/** An IPv6 address format that embeds an IPv4 address. */
interface Form {
  readonly name: string;
  /** The prefix that identifies the format. */
  readonly in: Network;
  /** The positions of the four bytes. */
  readonly at: readonly [number, number, number, number];
  /** The value that each byte is XORed with. */
  readonly xor: number;
}

const LAST = [12, 13, 14, 15] as const;

const FORMS: readonly Form[] = [
  form('6to4', '2002::/16', [2, 3, 4, 5]), // RFC 3056
  form('NAT64', '64:ff9b::/96', LAST), // RFC 6052
  form('NAT64', '64:ff9b:1::/48', LAST), // RFC 8215, with a 96-bit prefix
  form('NAT64', '64:ff9b:1::/48', [6, 7, 9, 10]), // with a 48-bit prefix
  form('Teredo', '2001::/32', LAST, 0xff), // RFC 4380, the client
  form('an IPv4-compatible address', '::/96', LAST), // RFC 4291 2.5.5.1
  form('an IPv4-translated address', '::ffff:0:0:0/96', LAST), // RFC 2765
];

/** The interface identifiers of ISATAP (RFC 5214), in any network; the second is for global IPv4 addresses. */
const ISATAP: readonly string[] = ['00005efe', '02005efe'];

/** The IPv4 networks that are embedded in an IPv6 network or address (prefix 128). */
export function* embeddedIpv4({
  bytes,
  prefix,
}: Network): Generator<{ readonly form: string; readonly ipv4: Network }> {
  if (bytes.length !== 16) return;
  for (const { name, in: within, at, xor } of FORMS) {
    const shared = Math.min(prefix, within.prefix);
    if (!Buffer.from(masked(bytes, shared).bytes).equals(masked(within.bytes, shared).bytes)) continue;
    yield { form: name, ipv4: ipv4At(bytes, prefix, at, xor) };
  }
  if (prefix === 128 && ISATAP.includes(Buffer.from(bytes).toString('hex', 8, 12)))
    yield { form: 'ISATAP', ipv4: ipv4At(bytes, prefix, LAST, 0) };
}

/** The embedded network; all of IPv4 if the prefix ends before it. */
function ipv4At(bytes: Uint8Array, prefix: number, at: Form['at'], xor: number): Network {
  const known = at.filter((index) => prefix >= (index + 1) * 8).length;
  const next = at[known];
  const bits = known * 8 + (next === undefined ? 0 : Math.max(0, prefix - next * 8));
  return masked(
    Uint8Array.from(at, (index) => (bytes[index] ?? 0) ^ xor),
    bits,
  );
}

function form(name: string, network: string, at: Form['at'], xor = 0): Form {
  const within = parseNetwork(network);
  if (within === undefined) throw new Error(`${network} is not a network`);
  return { name, in: within, at, xor };
}
