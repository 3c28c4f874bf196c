import * as z from 'zod/mini';
import { ACTIONS } from '../contract/actions.ts';
import * as contract from '../contract/check.ts';
import { printable } from '../contract/printable.ts';
import { redactedSubject } from '../contract/redact.ts';
import { formatSubject, MAX_SUBJECT_BYTES, parseSubject, SubjectError } from '../contract/subject.ts';
import { firstProblem } from './schema-problem.ts';

/**
 * An item of the table: a subject in a list with an action, and notes for people. The notes may be any text: an entry
 * ignored because of them would unblock a client.
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

/** An item parsed as an entry, or one line that says why it is invalid. */
export type ParsedEntry = { readonly entry: StoredEntry } | { readonly problem: string };

/** The last second of the year 9999. Anything later was typed in milliseconds. */
export const LAST_SECOND = 253_402_300_799;

/** Parses an item, which may have been typed into the table by hand. */
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

/** The part of an entry that is sent to the agent. */
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
