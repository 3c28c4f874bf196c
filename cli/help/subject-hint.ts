import { formatNetwork, masked, parseAddress, parseNetwork } from '../../contract/address.ts';
import { parseSubject, SubjectError } from '../../contract/subject.ts';
import { addressHint, firstHint, type Hint } from '../formats/address-hint.ts';
import { subjectsOfRange } from '../formats/address-ranges.ts';
import { InvalidLineError } from '../formats/invalid-line.ts';

/** Subjects that a hint spells out; of more it tells how to read them. */
const MAX_NAMED = 8;

/** What a text that is no subject was probably meant to be, and what to type; undefined if that is not clear. */
export function subjectHint(text: string): string | undefined {
  return firstHint(HINTS, text);
}

const HINTS: readonly Hint[] = [
  (text) => {
    const parts = text.split(/[,;]\s*/);
    if (parts.length < 2 || !parts.every((part) => part !== '' && isSubject(part))) return undefined;
    return `is several subjects: name each by itself, as ${parts.slice(0, MAX_NAMED).join(' and ')}`;
  },
  wideNetwork,
  (text) => {
    const subjects = subjectsIn(text.replace(/^ip:/i, ''));
    if (subjects === undefined) return undefined;
    const typed = subjects.map((subject) => subject.replace(/^ip:/, ''));
    if (typed.length > MAX_NAMED)
      return `is ${typed.length} networks and addresses: write them to a file, which haverdict import reads, ranges as well`;
    return `is a range: write ${typed.join(' ')}`;
  },
  addressHint,
  (text) => {
    const [, ipv4, ipv6] = /^(?:([\d.]+):\d+|\[([\da-f:.]+)\](?::\d+)?)$/i.exec(text) ?? [];
    const address = ipv4 ?? ipv6 ?? '';
    return parseAddress(address) === undefined ? undefined : `has a port or brackets: write ${address}`;
  },
  (text) => {
    if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
    const { hostname, pathname } = new URL(text);
    return `is a URL: write host:${hostname}${pathname === '/' ? '' : ` or path:${pathname}`}`;
  },
  (text) => (/^\/[^\s]*$/.test(text) ? `is a path: write path:${text}` : undefined),
  (text) => (/^as\d{1,10}$/i.test(text) ? `is an autonomous system: write asn:${text.slice(2)}` : undefined),
  (text) => (/^[a-z]{2}$/i.test(text) ? `is a country: write country:${text.toUpperCase()}` : undefined),
  (text) =>
    /^(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE|CONNECT|PROPFIND)$/.test(text)
      ? `is a method: write method:${text}`
      : undefined,
  (text) => (isSubject(`ja4:${text}`) ? `is a JA4 fingerprint: write ja4:${text}` : undefined),
  (text) => {
    const name = text.replace(/^\./, '*.').replace(/\.$/, '');
    const isHost = /^(\*\.)?([\w-]+\.)+(?!\d)[\p{L}\d-]{2,}(:\d+)?$/u.test(name) && isSubject(`host:${name}`);
    return isHost ? `is a host name: write host:${name}` : undefined;
  },
  (text) =>
    /^(?=\D*\d)[0-9a-hjkmnp-tv-z]{12}$/.test(text)
      ? 'may be the reference id of a deny: haverdict denied prints the last ones with their clients, the log of the agent has all'
      : undefined,
  (text) => {
    const [, word = ''] = /^([a-z][\w-]{2,})(?:\/[\d.]+)?$/i.exec(text) ?? [];
    if (word === '' || !/bot|spider|crawl|scan|\//i.test(text) || !isSubject(`ua:*${word}*`)) return undefined;
    return `may be a user agent: write 'ua:*${word}*' for every agent with this name in it`;
  },
];

/** A network that no lookup asks for, because it is too wide. */
function wideNetwork(text: string): string | undefined {
  const network = parseNetwork(text.replace(/^ip:/i, ''));
  if (network === undefined) return undefined;
  const widest = network.bytes.length === 4 ? 8 : 16;
  if (network.prefix >= widest) return undefined;
  const count = 2 ** (widest - network.prefix);
  const { bytes } = masked(network.bytes, network.prefix);
  const last = Uint8Array.from(bytes);
  const view = new DataView(last.buffer);
  if (widest === 8) last[0] = (last[0] ?? 0) + count - 1;
  else view.setUint16(0, view.getUint16(0) + count - 1);
  const [first, end] = [bytes, last].map((one) => formatNetwork({ bytes: one, prefix: widest }));
  return `is wider than the widest network that is looked up: it is ${count} of /${widest}, from ${first} to ${end}, which need --force`;
}

function subjectsIn(text: string): readonly string[] | undefined {
  try {
    return subjectsOfRange(text);
  } catch (error) {
    if (error instanceof InvalidLineError || error instanceof SubjectError) return undefined;
    throw error;
  }
}

function isSubject(text: string): boolean {
  try {
    parseSubject(text);
    return true;
  } catch (error) {
    if (error instanceof SubjectError) return false;
    throw error;
  }
}
