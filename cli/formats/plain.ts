import { isKind } from '../../contract/subject.ts';
import { networksOfRange, parseAddressRange } from './address-ranges.ts';
import { readByLine } from './by-line.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { misread, oneLine, subjectOf } from './invalid-line.ts';

/**
 * A subject a line, `#` and `;` comments: FireHOL's `.ipset` and `.netset`, the text lists of Spamhaus and AbuseIPDB,
 * `a.b.c.d - a.b.c.e`. What stands in a comment after a subject is its note.
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

/** Kinds whose values can have anything in them that stands in a line, blanks and comment signs too. */
const WHOLE_LINES = /^(ua$|header\.|cookie\.)/;

/** Whether all of this line is the value, of its own kind or else of that of the list. */
export function isWholeLine(line: string, kind: string): boolean {
  const own = line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();
  return WHOLE_LINES.test(isKind(own) ? own : kind);
}

/**
 * A line that begins with `#` or `;` is a comment. Within one, a blank comes before a comment, since other kinds have `#`
 * and `;` in their values; addresses have neither.
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
