import * as z from 'zod/mini';
import { ACTIONS } from '../contract/actions.ts';
import * as contract from '../contract/check.ts';
import { printable } from '../contract/printable.ts';
import { redactedSubject } from '../contract/redact.ts';
import { formatSubject, MAX_SUBJECT_BYTES, parseSubject, SubjectError } from '../contract/subject.ts';
import { firstProblem } from './problem.ts';

/**
 * One item of the table: a subject in a list with an action, and what people want to know about it later. Whatever that text
 * is, it decides nothing: an entry ignored for it would unblock somebody.
 */
export const StoredEntry = z.extend(z.omit(contract.Entry, { shadow: true, unlessAllowed: true }), {
  action: z._default(z.enum(ACTIONS), 'deny'),
  note: z.optional(z.string()),
  createdBy: z.optional(z.string()),
  createdAt: z.optional(z.string()),
});
export type StoredEntry = z.infer<typeof StoredEntry>;

/** The same, not enforced because its list is in shadow mode. */
export type ShadowEntry = StoredEntry & Required<Pick<contract.Entry, 'shadow'>>;

/** What became of a stored item: an entry, or one line that says why it is none. */
export type ParsedEntry = { readonly entry: StoredEntry } | { readonly problem: string };

/** The last second of the year 9999. Anything later was typed in milliseconds. */
const LAST_SECOND = 253_402_300_799;

/** Reads an item that anybody may have typed into the table. */
export function parseEntry(item: unknown): ParsedEntry {
  const parsed = StoredEntry.safeParse(item);
  if (!parsed.success) return { problem: firstProblem(parsed.error, item) };
  const { subject, expiresAt } = parsed.data;
  const problem = subjectProblem(subject) ?? expiryProblem(expiresAt) ?? contract.entryProblem(parsed.data);
  return problem === undefined ? { entry: parsed.data } : { problem };
}

/** An entry counts only until its expiresAt; DynamoDB deletes it up to days later. */
export function isExpired(entry: Pick<StoredEntry, 'expiresAt'>, nowSeconds: number): boolean {
  return entry.expiresAt !== undefined && entry.expiresAt <= nowSeconds;
}

/** The part of an entry that the agent is told. */
export function toContractEntry(stored: StoredEntry | ShadowEntry): contract.Entry {
  const { note: _note, createdBy: _createdBy, createdAt: _createdAt, ...entry } = stored;
  return entry;
}

function subjectProblem(text: string): string | undefined {
  try {
    const canonical = formatSubject(parseSubject(text));
    if (canonical === text) return undefined;
    const right =
      redactedSubject(canonical) === canonical
        ? `write "${printable(canonical, MAX_SUBJECT_BYTES)}"`
        : 'haverdict lint says how';
    return `subject is not canonical and is never looked up: ${right}`;
  } catch (error) {
    if (error instanceof SubjectError) return `subject ${error.message}`;
    throw error;
  }
}

function expiryProblem(expiresAt: number | undefined): string | undefined {
  if (expiresAt === undefined || expiresAt <= LAST_SECOND) return undefined;
  return `expiresAt ${expiresAt} is past the year 9999: write seconds since 1970, not milliseconds`;
}
