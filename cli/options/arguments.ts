import { LIST_NAME } from '../../contract/check.ts';
import { isRedactedSubject } from '../../contract/redact.ts';
import { formatSubject, parseSubject, type Subject, SubjectError } from '../../contract/subject.ts';
import { usageError } from '../exit/cli-error.ts';

/** The list of whoever types commands. */
export const DEFAULT_LIST = 'manual';

/** A subject as it was typed; a bare address or network means ip:. */
export function readSubject(text: string): Subject {
  if (isRedactedSubject(text))
    throw usageError(`"${text}" is what logs say in place of a secret: write its value itself`);
  try {
    return parseSubject(text);
  } catch (error) {
    if (error instanceof SubjectError) throw usageError(error.message);
    throw error;
  }
}

/** Canonical texts of all that was typed, each once. One that is wrong refuses them all. */
export function readSubjects(texts: readonly string[]): string[] {
  return [...new Set(texts.map((text) => formatSubject(readSubject(text))))];
}

/** A list name as it was typed. */
export function readList(text: string): string {
  if (LIST_NAME.test(text)) return text;
  throw usageError(`"${text}" is no list name: write 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit`);
}

/** List names with commas between, in order of precedence. */
export function readLists(text: string): string[] {
  return text.split(',').map(readList);
}
