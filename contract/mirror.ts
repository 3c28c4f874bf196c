import * as z from 'zod/mini';
import { ENDPOINTS, Entry, LIST_NAME } from './check.ts';
import { CURSOR, Key, ListStates, UpdatesRequest } from './updates.ts';

/** Bytes of one segment before content-encoding at most, so that a reader can bound what it unpacks. */
export const MAX_SEGMENT_BYTES = 2 * 1024 * 1024;
/** Segments of one manifest at most: it fits into an answer. */
export const MAX_SEGMENTS = 5000;
/** An id of a mirror. It is in the path of its segments. */
export const MIRROR_ID = /^[A-Za-z0-9]{1,32}$/;

const whole = z.int().check(z.minimum(0));

/** The query of `GET /v1/mirror`. */
export const MirrorRequest = z.pick(UpdatesRequest, { lists: true });
export type MirrorRequest = z.infer<typeof MirrorRequest>;

/** A part of one list: `GET /v1/mirror/{id}/{n}` has its lines. */
export const Segment = z.object({
  n: whole,
  list: z.string().check(z.regex(LIST_NAME)),
  /** SHA-256 of its bytes before content-encoding, in hex. */
  digest: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  bytes: z.int().check(z.minimum(0), z.maximum(MAX_SEGMENT_BYTES)),
  entries: whole,
});
export type Segment = z.infer<typeof Segment>;

/** The answer: which segments have all entries of the requested lists as they were at a place in the log. */
export const Mirror = z.object({
  id: z.string().check(z.regex(MIRROR_ID)),
  /** The place in the log: updates go on from there. */
  cursor: z.string().check(z.regex(CURSOR)),
  position: whole,
  /** What each requested list has at the cursor. */
  lists: ListStates,
  segments: z.array(Segment).check(z.maxLength(MAX_SEGMENTS)),
  /** The clock of the backend, in milliseconds since 1970. */
  now: whole,
});
export type Mirror = z.infer<typeof Mirror>;

/** What the entries after it say, beside their subjects: an entry without subject, list and expiry. */
export const EntryClass = z.pick(Entry, { action: true, reason: true, status: true, vars: true });
export type EntryClass = z.infer<typeof EntryClass>;

/** The key of an entry, and its `expiresAt`. */
export const EntryLine = z.tuple([Entry.shape.subject, whole]);
/** A key that is another spelling of a subject, `expiresAt` or null, and the subject in canonical form. */
export const SpelledLine = z.tuple([Key.shape.subject, z.nullable(whole), Entry.shape.subject]);

/** A line of a segment, as JSON: a class, which holds for the entries up to the next class, or an entry; its key alone if it has no `expiresAt`. */
export const SegmentLine = z.union([EntryClass, Entry.shape.subject, EntryLine, SpelledLine]);
export type SegmentLine = z.infer<typeof SegmentLine>;

/** The problem of a manifest whose fields are valid; undefined if there is none. */
export function mirrorProblem({ lists, segments }: Mirror, asked: readonly string[]): string | undefined {
  for (const list of asked) {
    if (lists[list] === undefined) return `the manifest says nothing about list ${list}`;
    const entries = segments.reduce((sum, segment) => sum + (segment.list === list ? segment.entries : 0), 0);
    if (entries !== lists[list].count)
      return `the segments of list ${list} have ${entries} entries instead of ${lists[list].count}`;
  }
  const other = segments.find(({ list }) => !asked.includes(list));
  return other && `segment ${other.n} is of list ${other.list}, which was not asked for`;
}

/** The request as a query. */
export function mirrorQuery({ lists }: MirrorRequest): string {
  return `lists=${encodeURIComponent(lists.join(','))}`;
}

/** The path of a segment. */
export function segmentPath(id: string, n: number): string {
  return ENDPOINTS.segment.path.replace('{id}', id).replace('{n}', String(n));
}
