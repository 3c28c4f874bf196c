import { LINE, MAX_REASON } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import { formatSubject, isKind, parseSubject, SubjectError } from '../../contract/subject.ts';
import { passesIn } from './extra-field-meaning.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';

/** A line or item that is not a valid entry. The message is one printable line. */
export class InvalidLineError extends Error {
  override readonly name = 'InvalidLineError';
  /** The subject that the line exempts, `''` if it cannot be parsed; undefined if it exempts none. */
  readonly exempt: string | undefined;

  constructor(message: string, exempt?: string) {
    super(message);
    this.exempt = exempt;
  }
}

/** The entries that `read` returns for a line, or the problem if it throws; `text` is called only then. */
export function feedLines(line: number, text: () => string, read: () => readonly FeedEntry[]): readonly FeedLine[] {
  try {
    return read().map((entry) => ({ line, entry }));
  } catch (error) {
    if (error instanceof SubjectError) return [problem(line, text(), error.message)];
    if (!(error instanceof InvalidLineError)) throw error;
    const { message, exempt } = error;
    return [{ ...problem(line, text(), message), ...(exempt !== undefined && { exempt }) }];
  }
}

export function problem(line: number, text: string, message: string): FeedLine {
  return { line, text: printable(text), problem: message };
}

/** Parses a value to a canonical subject; `kind` is the default kind. */
export function subjectOf(value: string, kind: string): string {
  if (value.includes('\ufffd')) throw new InvalidLineError(`"${printable(value)}" is not UTF-8 text`);
  if (EXEMPTING.test(value) && !/^(ua$|header|cookie|key)/.test(kind)) throw exempted(value, kind);
  const isWhole = kind === 'ip' || isKind(value.slice(0, Math.max(value.indexOf(':'), 0)));
  return formatSubject(parseSubject(isWhole ? value : `${kind}:${value}`));
}

/** Prefixes that mark exceptions in lists of other programs. A dash with a blank is an item of YAML. */
const EXEMPTING = /^(!|~|@@|-(?=\S+$))[!\s|]*/;

function exempted(value: string, kind: string): InvalidLineError {
  const message = `"${printable(value)}" exempts a subject from blocking: remove it`;
  try {
    return new InvalidLineError(message, subjectOf(value.replace(EXEMPTING, ''), kind));
  } catch (error) {
    if (error instanceof SubjectError || error instanceof InvalidLineError) return new InvalidLineError(message, '');
    throw error;
  }
}

/** The error for an unparsable line: marks it as exempting if one of its words says so. */
export function misread(error: unknown, line: string): unknown {
  if (!(error instanceof SubjectError) || !passesIn(line)) return error;
  return new InvalidLineError(error.message, '');
}

/** Any text as one printable line; a printable line stays unchanged. */
export function singleLine(text: string): string {
  return LINE.test(text) ? text : text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').trim();
}

/** A text as a reason or note, cut to the longest reason. */
export function oneLine(text: string): string {
  const line = singleLine(text).replace(/\s+/g, ' ').trim();
  return line.length <= MAX_REASON ? line : line.slice(0, MAX_REASON).replace(/\p{Cs}$/u, '');
}
