import { asReason } from '../../blocklist/reason.ts';
import { isKind } from '../../contract/subject.ts';
import { refuseValue } from './after-address.ts';
import { isAddress } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedLine } from './feed-line.ts';
import { isBlockedByHosts, namesOfHostsLine } from './hosts-file.ts';
import { InvalidLineError, misread } from './invalid-line.ts';
import { readByLine } from './lines.ts';
import { subjectsOf } from './subjects.ts';

/**
 * A subject per line, `#` and `;` comments: FireHOL's `.ipset` and `.netset`, the text lists of Spamhaus and AbuseIPDB,
 * `a.b.c.d - a.b.c.e`. A comment after a subject is its note.
 */
export const PLAIN: FeedFormat = {
  unit: 'line',
  extensions: ['ipset', 'netset'],
  defaultFor: ['lines'],
  read: readPlain,
};

function readPlain({ bytes, kind }: FeedSource): AsyncIterable<FeedLine> {
  return readByLine(bytes, (text) => {
    const { data, comment } = withoutComment(text, kind);
    if (data === '') return [];
    const note = comment === '' ? {} : { note: comment };
    try {
      const subjects = subjectsIn(data, kind);
      return subjects.length === 0 ? [] : [{ subjects, ...note }];
    } catch (error) {
      throw misread(error, data);
    }
  });
}

/** Kinds whose values can contain any printable character, blanks, `#` and `;` included. */
const WHOLE_LINES = /^(ua$|header\.|cookie\.)/;

/** Whether the whole line is the value, of its own kind or else of the list's kind. */
export function isWholeLine(line: string, kind: string): boolean {
  const own = line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();
  return WHOLE_LINES.test(isKind(own) ? own : kind);
}

/**
 * Splits a line into data and comment. A line that begins with `#` or `;` is a comment. After data, a comment needs a blank
 * before it, except after an address, which contains neither character.
 */
export function withoutComment(text: string, kind: string): { readonly data: string; readonly comment: string } {
  const trimmed = text.trim();
  if (!/[#;]/.test(trimmed)) return { data: trimmed, comment: '' };
  if (!/^[#;]/.test(trimmed) && isWholeLine(trimmed, kind)) return { data: trimmed, comment: '' };
  const start = trimmed.search(kind === 'ip' && /^[\d.:a-f/]+[#;]/i.test(trimmed) ? /[#;]/ : /(^|\s)[#;]/);
  if (start < 0) return { data: trimmed, comment: '' };
  return { data: trimmed.slice(0, start).trim(), comment: asReason(trimmed.slice(start).replace(/^\s*[#;]+\s*/, '')) };
}

function subjectsIn(data: string, kind: string): readonly string[] {
  if (isWholeLine(data, kind)) return subjectsOf(data, kind);
  const words = data.split(/\s+/);
  if (kind === 'host') return hostsIn(data, words).flatMap((name) => subjectsOf(name, kind));
  const [address = '', ...more] =
    words.length === 2 && isCount(words[0]) && isAddress(words[1] ?? '') ? words.toReversed() : words;
  if (kind !== 'ip' || more.length === 0 || !isAddress(address) || /^[-–]/.test(more[0] ?? ''))
    return subjectsOf(data, kind);
  if (isBlockedByHosts(words)) throw new InvalidLineError('is a line of a hosts file: --kind host reads the names');
  const subjects = subjectsOf(address, kind);
  refuseValue(more.join(' '), address, subjects);
  if (more.length === 1 && isCount(more[0])) return subjects;
  throw new InvalidLineError(`has more than an address: --format haproxy reads what follows as the reason`);
}

/** How often something was seen: after the address, or before it, as uniq -c prints it. */
function isCount(word: string | undefined): boolean {
  return /^\d+$/.test(word ?? '');
}

/** The names of a line; `.shop.example` is a host and all below it, as Squid and nginx read it. */
function hostsIn(data: string, words: readonly string[]): readonly string[] {
  const names = namesOfHostsLine(words) ?? [data];
  return names.flatMap((name) => (/^\.[^.]/.test(name) ? [name.slice(1), `*${name}`] : [name]));
}
