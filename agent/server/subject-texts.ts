import { cookieValues } from '../../contract/cookie.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { formatSubject, subjectFromTraffic } from '../../contract/subject.ts';
import type { Question } from '../decision/engine.ts';

/** What is asked about one kind: more than one text of cookies, none where nothing can be listed for the value. */
export type Texts = readonly string[];

const UNLISTED: Texts = [];

/** Puts in place what is asked about the cookies of this header; false where that cannot be said. */
export function readCookies(
  { kinds, cookies }: { readonly kinds: readonly string[]; readonly cookies?: ReadonlyMap<string, string> },
  header: Uint8Array,
  texts: (Texts | undefined)[],
): boolean {
  texts[kinds.length] = UNLISTED;
  let isRight = true;
  for (const [index, kind] of kinds.entries()) {
    const name = cookies?.get(kind);
    if (name === undefined) continue;
    const values = cookieValues(header, name);
    const found = values && textsOf(kind, values);
    if (found === undefined) isRight = false;
    texts[index] = values?.length === 0 ? undefined : found;
  }
  return isRight;
}

/** Undefined if one of the values is none of this kind. */
export function textsOf(kind: string, values: readonly Uint8Array[]): Texts | undefined {
  const subjects = values.map((value) => subjectFromTraffic(kind, value));
  if (subjects.includes(undefined)) return undefined;
  return [...new Set(subjects.flatMap((subject) => (subject ? [formatSubject(subject)] : [])))];
}

export function textsIn(texts: readonly (Texts | undefined)[]): string[] {
  return texts.flatMap((some) => some ?? []);
}

/** The address tells clients apart; where there is none, all other subjects together, as they may be told. */
export function clientOf({ address, texts }: Pick<Question, 'address' | 'texts'>): string {
  return address.words === 0 ? texts.map(redactedSubject).join(' ') : `${address}`;
}
