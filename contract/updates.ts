import * as z from 'zod/mini';
import { Entry, entryProblem, LIST_NAME, MAX_LISTS } from './check.ts';

/** Changes of one page at most, so that an agent applies it in milliseconds. */
export const MAX_CHANGES = 2000;
/** The longest wait that a backend can ask for. */
const MAX_WAIT_MS = 60_000;
/** The longest partition key of DynamoDB. */
const MAX_KEY_BYTES = 2048;

/** What a backend says of a place in its log; to an agent it is text without meaning. */
export const CURSOR = /^[A-Za-z0-9._-]{1,128}$/;

/** The query of `GET /v1/updates`. */
export const UpdatesRequest = z.object({
  /** The cursor of the last page that was applied. Without it the answer is where the log ends now, without changes. */
  after: z.optional(z.string().check(z.regex(CURSOR))),
  lists: z.array(z.string().check(z.regex(LIST_NAME))).check(z.minLength(1), z.maxLength(MAX_LISTS)),
});
export type UpdatesRequest = z.infer<typeof UpdatesRequest>;

/** The item as it stands in the table. Two spellings of one subject are two keys, and one may go while the other stays. */
export const Key = z.object({
  subject: z.string().check(z.minLength(1), z.maxLength(MAX_KEY_BYTES)),
  list: z.string().check(z.regex(LIST_NAME)),
});

/** What is true of one key of the table now. */
export const Change = z.object({
  key: Key,
  /** The entry, with its subject in canonical form; null if there is none any more, or what is there is no entry. */
  entry: z.nullable(Entry),
});
export type Change = z.infer<typeof Change>;

/** What one list has: how many entries, expired ones too, and the sum of their hashes (docs/reference/contract.md#digest). */
export const ListState = z.object({
  count: z.int().check(z.minimum(0)),
  digest: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
});
export type ListState = z.infer<typeof ListState>;

export const ListStates = z.record(z.string().check(z.regex(LIST_NAME)), ListState);
export type ListStates = z.infer<typeof ListStates>;

/** The answer: changes in the order of the log. An agent applies a whole page or nothing of it. */
export const UpdatesPage = z.object({
  cursor: z.string().check(z.regex(CURSOR)),
  changes: z.array(Change).check(z.maxLength(MAX_CHANGES)),
  /** How long ago the moment was up to which every change is proven to be in the log up to this cursor; null without proof. */
  provenAgeMs: z.nullable(z.int().check(z.minimum(0))),
  /** The clock of the backend, in milliseconds since 1970. */
  now: z.int().check(z.minimum(0)),
  more: z.boolean(),
  /** The number of records in the log up to this cursor. */
  position: z.optional(z.int().check(z.minimum(0))),
  /** What the requested lists have at this cursor, in a page that ends where the backend counted. */
  checkpoint: z.optional(z.object({ lists: ListStates })),
  waitMs: z.int().check(z.minimum(0), z.maximum(MAX_WAIT_MS)),
});
export type UpdatesPage = z.infer<typeof UpdatesPage>;

/** A page with its changes unchecked, so that they can be checked a few at a time. */
export const UpdatesEnvelope = z.extend(UpdatesPage, { changes: z.array(z.unknown()).check(z.maxLength(MAX_CHANGES)) });

/** The problem of a page whose fields are valid; undefined if there is none. */
export function pageProblem({ changes }: UpdatesPage, lists: readonly string[]): string | undefined {
  for (const { key, entry } of changes) {
    if (!lists.includes(key.list)) return `a change is about list ${key.list}, which was not asked for`;
    if (entry === null) continue;
    if (entry.list !== key.list) return `the entry of a change in list ${key.list} is in list ${entry.list}`;
    if (entry.shadow !== undefined || entry.unlessAllowed !== undefined)
      return 'the entry of a change has shadow or unlessAllowed, which belong to the answer for a subject';
    const problem = entryProblem(entry);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The request as the path with its query, which is what is sent and signed. */
export function updatesQuery({ after, lists }: UpdatesRequest): string {
  const names = encodeURIComponent(lists.join(','));
  return after === undefined ? `lists=${names}` : `after=${after}&lists=${names}`;
}
