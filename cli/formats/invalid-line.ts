import { LINE } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import { SubjectError } from '../../contract/subject.ts';
import { passesIn } from './extra-field-meaning.ts';
import type { FeedItem, FeedLine } from './feed-line.ts';

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
export function feedLines(line: number, text: () => string, read: () => readonly FeedItem[]): readonly FeedLine[] {
  try {
    return read().flatMap(({ subjects, ...rest }) =>
      subjects.map((subject) => ({ line, entry: { subject, ...rest } })),
    );
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

/** The error for an unparsable line: marks it as exempting if one of its words says so. */
export function misread(error: unknown, line: string): unknown {
  if (!(error instanceof SubjectError) || !passesIn(line)) return error;
  return new InvalidLineError(error.message, '');
}

/** Any text as one printable line; a printable line stays unchanged. */
export function singleLine(text: string): string {
  return LINE.test(text) ? text : text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').trim();
}
