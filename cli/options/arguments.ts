import { LIST_NAME } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import { isRedactedSubject } from '../../contract/redact.ts';
import { formatSubject, parseSubject, type Subject, SubjectError } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';
import { subjectHint } from '../help/subject-hint.ts';

/** The largest `--limit`. */
export const MAX_LIMIT = 10_000;

/** The default list of `block` and `allow`, for manual entries. */
export const DEFAULT_LIST = 'manual';

/** Parses a typed subject; a bare address or network means `ip:`. */
export function readSubject(text: string): Subject {
  if (isRedactedSubject(text))
    throw usageError(`"${text}" is the digest that logs show instead of a secret: use the secret itself`);
  try {
    return parseSubject(text);
  } catch (error) {
    if (!(error instanceof SubjectError)) throw error;
    const hint = subjectHint(text);
    throw usageError(hint === undefined ? error.message : `"${printable(text)}" ${hint}`);
  }
}

/** The canonical texts of typed subjects, without duplicates; throws if one is invalid. */
export function readSubjects(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => formatSubject(readSubject(text))))];
}

/** Parses a typed list name. */
export function readList(text: string): string {
  if (LIST_NAME.test(text)) return text;
  throw usageError(`"${text}" is not a valid list name: use 1 to 64 of a-z 0-9 . _ -, starting with a letter or digit`);
}

/** Parses comma-separated list names, in order of precedence. */
export function readLists(text: string): string[] {
  return text.split(',').map(readList);
}

/** Parses `--limit`. */
export function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw usageError(`--limit "${text}" is not a whole number from 1 to ${MAX_LIMIT}`);
}
