import { readByLine } from './by-line.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { networksOf, rangeIn } from './range.ts';
import { oneLine, subjectOf } from './unreadable.ts';

/**
 * A subject a line, `#` and `;` comments: FireHOL's `.ipset` and `.netset`, the text lists of Spamhaus and AbuseIPDB,
 * `a.b.c.d - a.b.c.e`. What stands in a comment after a subject is its note.
 */
export function readPlain(bytes: AsyncIterable<Uint8Array>, kind: string): AsyncIterable<FeedLine> {
  return readByLine(bytes, (text) => {
    const { data, comment } = withoutComment(text, kind);
    if (data === '') return [];
    const note = comment === '' ? {} : { note: comment };
    return subjectsOf(data, kind).map((subject): FeedEntry => ({ subject, ...note }));
  });
}

/** A blank comes before a comment, since other kinds have `#` and `;` in their values; addresses have neither. */
export function withoutComment(text: string, kind: string): { readonly data: string; readonly comment: string } {
  const trimmed = text.trim();
  if (!/[#;]/.test(trimmed)) return { data: trimmed, comment: '' };
  const start = trimmed.search(kind === 'ip' && /^[\d.:a-f/]+[#;]/i.test(trimmed) ? /[#;]/ : /(^|\s)[#;]/);
  if (start < 0) return { data: trimmed, comment: '' };
  return { data: trimmed.slice(0, start).trim(), comment: oneLine(trimmed.slice(start).replace(/^\s*[#;]+/, '')) };
}

function subjectsOf(data: string, kind: string): string[] {
  const range = data.includes('-') ? rangeIn(data) : undefined;
  if (range !== undefined) return networksOf(range).map((network) => subjectOf(network, 'ip'));
  return [subjectOf(data, kind)];
}
