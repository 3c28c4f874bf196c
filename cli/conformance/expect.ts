import { firstProblem } from '../../blocklist/schema-problem.ts';
import { CheckResponse, type Entry, type Verdict } from '../../contract/check.ts';
import { lookupKeys, parseSubject, SubjectError } from '../../contract/subject.ts';
import type { Answer } from './target.ts';

/** A requirement that the backend violates, in one line. */
export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
}

/** The answer, validated against the contract. */
export function responseOf(answer: Answer): CheckResponse {
  if (answer.status !== 200) throw new CheckFailed(`answered status ${answer.status} instead of 200`);
  const json = jsonOf(answer);
  const parsed = CheckResponse.safeParse(json);
  if (!parsed.success) throw new CheckFailed(firstProblem(parsed.error, json));
  return parsed.data;
}

/** The verdicts: one per subject, in the same order. */
export function verdictsOf(answer: Answer, subjects: readonly string[]): readonly Verdict[] {
  const { verdicts } = responseOf(answer);
  if (verdicts.length !== subjects.length)
    throw new CheckFailed(`answered ${verdicts.length} verdicts for ${subjects.length} subjects`);
  subjects.forEach((subject, index) => {
    const answered = verdicts[index]?.subject;
    if (answered !== subject) throw new CheckFailed(`verdict ${index + 1} is for "${answered}", expected "${subject}"`);
  });
  return verdicts;
}

/** The same, if no subject may fail. */
export function lookedUp(answer: Answer, subjects: readonly string[]): readonly Verdict[] {
  const verdicts = verdictsOf(answer, subjects);
  const failed = verdicts.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw new CheckFailed(`"${failed.subject}" was not looked up: ${failed.error}`);
  const silent = verdicts.find(({ entry }) => entry === undefined);
  if (silent !== undefined) throw new CheckFailed(`"${silent.subject}" has neither an entry, nor null, nor an error`);
  return verdicts;
}

/** Expects a status after which the agent does not retry. */
export function expectRefusal(answer: Answer): string {
  if (answer.status >= 400 && answer.status < 500) return `status ${answer.status}`;
  throw new CheckFailed(`answered status ${answer.status} instead of 4xx`);
}

/** The entry must be valid for this subject now. */
export function expectEntry(entry: Entry, subject: string, lists: readonly string[]): void {
  if (!lists.includes(entry.list))
    throw new CheckFailed(`"${subject}" got an entry of list ${entry.list}, which was not asked for`);
  if (!covering(subject).includes(entry.subject))
    throw new CheckFailed(`"${subject}" got an entry for "${entry.subject}"`);
  if (entry.expiresAt !== undefined && entry.expiresAt <= Date.now() / 1000)
    throw new CheckFailed(`"${subject}" got an entry that expired at ${entry.expiresAt}`);
}

export function jsonOf({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CheckFailed('the body is not JSON');
  }
}

/** A subject of an unknown kind can be covered only by itself. */
function covering(subject: string): readonly string[] {
  try {
    return lookupKeys(parseSubject(subject));
  } catch (error) {
    if (error instanceof SubjectError) return [subject];
    throw error;
  }
}
