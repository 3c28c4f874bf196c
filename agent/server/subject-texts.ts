import { cookieValues } from '../../contract/cookie.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { formatSubject, subjectFromTraffic } from '../../contract/subject.ts';
import type { Question } from '../decision/engine.ts';

/** The subjects of one argument: several for cookies, none for a value that cannot be listed. */
export type SubjectTexts = readonly string[];

const NO_SUBJECTS: SubjectTexts = [];

/** Sets the subjects of the cookies in this header; false if a value is invalid. */
export function readCookies(
  { kinds, cookies }: { readonly kinds: readonly string[]; readonly cookies?: ReadonlyMap<string, string> },
  header: Uint8Array,
  texts: (SubjectTexts | undefined)[],
): boolean {
  texts[kinds.length] = NO_SUBJECTS;
  let isValid = true;
  for (const [index, kind] of kinds.entries()) {
    const name = cookies?.get(kind);
    if (name === undefined) continue;
    const values = cookieValues(header, name);
    const found = values && textsOf(kind, values);
    if (found === undefined) isValid = false;
    texts[index] = values?.length === 0 ? undefined : found;
  }
  return isValid;
}

/** Undefined if a value is not valid for this kind. */
export function textsOf(kind: string, values: readonly Uint8Array[]): SubjectTexts | undefined {
  const subjects = values.map((value) => subjectFromTraffic(kind, value));
  if (subjects.includes(undefined)) return undefined;
  return [...new Set(subjects.flatMap((subject) => (subject ? [formatSubject(subject)] : [])))];
}

export function textsIn(texts: readonly (SubjectTexts | undefined)[]): string[] {
  return texts.flatMap((some) => some ?? []);
}

/** A text that distinguishes clients: the address, or without one all other subjects, redacted. */
export function clientOf({ address, texts }: Pick<Question, 'address' | 'texts'>): string {
  return address.words === 0 ? texts.map(redactedSubject).join(' ') : `${address}`;
}
