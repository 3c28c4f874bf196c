import type { TypedData } from '../../spop/data.ts';

const text = (value: string): TypedData => ({ type: 'string', value });

const NAME = 'probe.haverdict.invalid';

/** A value of each kind that is right and nobody's: kept for documentation or private use, or made up. */
const OF_KIND: Readonly<Record<string, TypedData>> = {
  ip: { type: 'ipv4', value: Uint8Array.of(192, 0, 2, 1) }, // RFC 5737
  host: text(NAME), // RFC 2606
  path: text('/probe.haverdict.invalid'),
  method: text('HAVERDICT-PROBE'), // any token is a method
  country: text('ZZ'), // ISO 3166-1 leaves it to users
  asn: text('64496'), // RFC 5398
  ja4: text('t13d0000h0_000000000000_000000000000'),
};

/** For what is compared as it is, and for arguments, any text does. */
export function harmless(kind: string): TypedData {
  return OF_KIND[kind] ?? text(NAME);
}
