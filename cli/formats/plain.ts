import { isKind } from '../../contract/subject.ts';
import { networksOfRange, parseAddressRange } from './address-ranges.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { misread, oneLine, subjectOf } from './invalid-line.ts';
import { readByLine } from './lines.ts';

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
      return subjectsOf(data, kind).map((subject): FeedEntry => ({ subject, ...note }));
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
  return { data: trimmed.slice(0, start).trim(), comment: oneLine(trimmed.slice(start).replace(/^\s*[#;]+/, '')) };
}

function subjectsOf(data: string, kind: string): string[] {
  const range = data.includes('-') ? parseAddressRange(data) : undefined;
  if (range !== undefined) return networksOfRange(range).map((network) => subjectOf(network, 'ip'));
  return [subjectOf(data, kind)];
}
