import { LINE } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import { formatSubject, isKind, parseSubject, SubjectError } from '../../contract/subject.ts';
import { passesIn } from './extra-field-meaning.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';

/** A line or an item that is no entry. The message is one printable line. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  /** The subject that the source lets pass here, `''` if that cannot be read; undefined if it does not. */
  readonly exempt: string | undefined;

  constructor(message: string, exempt?: string) {
    super(message);
    this.exempt = exempt;
  }
}

/** What `read` makes of one line, or why it makes nothing of it; `text` is asked for only then. */
export function feedLines(line: number, text: () => string, read: () => readonly FeedEntry[]): readonly FeedLine[] {
  try {
    return read().map((entry) => ({ line, entry }));
  } catch (error) {
    if (error instanceof SubjectError) return [problem(line, text(), error.message)];
    if (!(error instanceof UnreadableError)) throw error;
    const { message, exempt } = error;
    return [{ ...problem(line, text(), message), ...(exempt !== undefined && { exempt }) }];
  }
}

export function problem(line: number, text: string, said: string): FeedLine {
  return { line, text: printable(text), problem: said };
}

/** The canonical subject of a value; one without a kind before its colon is of this kind. */
export function subjectOf(value: string, kind: string): string {
  if (value.includes('\ufffd')) throw new UnreadableError(`"${printable(value)}" is not UTF-8 text`);
  if (EXEMPTING.test(value) && !/^(ua$|header|cookie|key)/.test(kind)) throw exempted(value, kind);
  const isWhole = kind === 'ip' || isKind(value.slice(0, Math.max(value.indexOf(':'), 0)));
  return formatSubject(parseSubject(isWhole ? value : `${kind}:${value}`));
}

/** What lists of others write before what they do not mean; a dash and a blank begin an item of YAML. */
const EXEMPTING = /^(!|~|@@|-(?=\S+$))[!\s|]*/;

function exempted(value: string, kind: string): UnreadableError {
  const said = `"${printable(value)}" exempts a subject from blocking: remove it`;
  try {
    return new UnreadableError(said, subjectOf(value.replace(EXEMPTING, ''), kind));
  } catch (error) {
    if (error instanceof SubjectError || error instanceof UnreadableError) return new UnreadableError(said, '');
    throw error;
  }
}

/** What a line came to that is not understood: if a word in it says so, it lets somebody pass. */
export function misread(error: unknown, line: string): unknown {
  if (!(error instanceof SubjectError) || !passesIn(line)) return error;
  return new UnreadableError(error.message, '');
}

/** Somebody's text as one printable line; one that is such a line stays as it is. */
export function singleLine(text: string): string {
  return LINE.test(text) ? text : text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').trim();
}

/** The same as a reason or a note, as long as a reason can be. */
export function oneLine(text: string): string {
  const line = singleLine(text).replace(/\s+/g, ' ').trim();
  return line.length <= MAX_TEXT_LENGTH ? line : line.slice(0, MAX_TEXT_LENGTH).replace(/\p{Cs}$/u, '');
}

const MAX_TEXT_LENGTH = 200;
