import type { StoredEntry } from '../../blocklist/entry.ts';
import type { BlocklistSettings } from '../../config/blocklist-schema.ts';
import { endsRequest } from '../../contract/actions.ts';
import { parseAddress, parseNetwork } from '../../contract/address.ts';
import { overlap, parseRange, type Range, rangeOf } from './address-range.ts';
import { catchAllProblem } from './catch-all.ts';
import { embeddedIpv4 } from './embedded-address.ts';

/** The subjects that must not be blocked by mistake. */
export interface ProtectedSet {
  /** Which protected subject this entry would block, in one line; undefined if none. */
  problemOf(entry: Pick<StoredEntry, 'subject' | 'action'>): string | undefined;
}

interface Place extends Range {
  readonly text: string;
  readonly why: string;
}

const ALWAYS = { 'loopback and unspecified addresses': ['127.0.0.0/8', '0.0.0.0', '::1', '::'] };

const PRIVATE = {
  'private networks': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  'link-local addresses': ['169.254.0.0/16', 'fe80::/10'],
  'carrier-grade NAT': ['100.64.0.0/10'],
};

/** The set from the settings and the caller's SSH session, whose client address is in the environment. */
export function protectedSet(
  settings: Pick<BlocklistSettings, 'protected' | 'protectPrivate'>,
  env: NodeJS.ProcessEnv,
): ProtectedSet {
  const places = [
    ...callerIn(env).flatMap((text) => placesOf([text], 'the address you are logged in from')),
    ...placesOf(settings.protected, 'blocklist.protected'),
    ...Object.entries(ALWAYS).flatMap(([why, texts]) => placesOf(texts, why)),
    ...(settings.protectPrivate ? Object.entries(PRIVATE).flatMap(([why, texts]) => placesOf(texts, why)) : []),
  ];
  return {
    problemOf({ subject, action }) {
      if (!endsRequest(action)) return undefined;
      const ranges = subject.startsWith('ip:') ? rangesOf(subject.slice('ip:'.length)) : [];
      for (const { range, as } of ranges) {
        const hit = places.find((place) => overlap(place, range));
        if (hit !== undefined) return `${action} ${subject} would block ${hit.text}${as}: ${hit.why}`;
      }
      return catchAllProblem(subject);
    },
  };
}

/** An address or network as ranges: itself, and the IPv4 networks embedded in it. */
function rangesOf(text: string): { readonly range: Range; readonly as: string }[] {
  const range = parseRange(text);
  if (range === undefined) return [];
  if (range.words.length === 1) return [{ range, as: '' }];
  const address = parseAddress(text);
  const network = address === undefined ? parseNetwork(text) : { bytes: address, prefix: 128 };
  const embedded = network === undefined ? [] : [...embeddedIpv4(network)];
  return [{ range, as: '' }, ...embedded.map(({ form, ipv4 }) => ({ range: rangeOf(ipv4), as: ` as ${form}` }))];
}

function placesOf(texts: readonly string[], why: string): Place[] {
  return texts.flatMap((text) => {
    const range = parseRange(text);
    return range === undefined ? [] : [{ ...range, text, why }];
  });
}

/** `CLIENT CLIENT_PORT SERVER SERVER_PORT`, and the same without SERVER; a link-local client has a zone. */
function callerIn({ SSH_CONNECTION, SSH_CLIENT }: NodeJS.ProcessEnv): string[] {
  const [client = ''] = (SSH_CONNECTION || SSH_CLIENT || '').split(' ');
  const address = client.replace(/%.*$/, '');
  return parseAddress(address) === undefined ? [] : [address];
}
