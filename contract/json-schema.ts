import * as z from 'zod/mini';
import { CheckRequest, CheckResponse, Entry, Verdict } from './check.ts';
import { EntryClass, EntryLine, Mirror, Segment, SegmentLine, SpelledLine } from './mirror.ts';
import { Change, ListState, UpdatesPage, UpdatesRequest } from './updates.ts';

/** The body of every answer whose status is not 200. */
const Refusal = z.object({ error: z.string() });

const described = z.registry<{ id?: string; description?: string; minItems?: number; maxItems?: number }>();
described.add(CheckRequest, {
  id: 'CheckRequest',
  description: 'Which subjects to look up in which lists. Readers ignore unknown fields.',
});
described.add(CheckRequest.shape.lists, {
  description: 'The lists to look into, in order of precedence. One that does not exist has no entries.',
});
described.add(CheckRequest.shape.shadowLists, {
  description: 'The lists in shadow mode. Their entries are answered with action log, and shadow is their own action.',
});
described.add(CheckRequest.shape.listActions, {
  description: 'The lists that are restricted to certain actions. An entry with another action is treated as absent.',
});
described.add(CheckRequest.shape.subjects, {
  description: 'Subjects in canonical text, KIND:VALUE. The same one may come twice.',
});
described.add(CheckResponse, { id: 'CheckResponse', description: 'As many verdicts as subjects, in the same order.' });
described.add(CheckResponse.shape.ttl, { description: 'How many seconds these verdicts may be kept at most.' });
described.add(Verdict, {
  id: 'Verdict',
  description: 'The answer for one subject: the entry that won, null for none, or why this one was not looked up.',
});
described.add(Verdict.shape.subject, { description: 'The subject as in the request.' });
described.add(Verdict.shape.error, {
  description: 'Why this subject could not be looked up; the other subjects are answered.',
});
described.add(Verdict.shape.overload, {
  description: 'With error: the backend is overloaded. The agent sends fewer calls, and the reason is overload.',
});
described.add(Verdict.shape.notCounted, {
  description: 'With entry: the entry that listActions excluded and that would have won, for the log.',
});
described.add(Entry, {
  id: 'Entry',
  description: 'The winning entry. It is in one of the requested lists.',
});
described.add(Entry.shape.subject, { description: 'The requested subject, or a network or wildcard that covers it.' });
described.add(Entry.shape.reason, { description: 'One line for logs and headers.' });
described.add(Entry.shape.status, { description: 'The HTTP status of a deny or tarpit, or of a redirect.' });
described.add(Entry.shape.vars, {
  description: 'Variables for HAProxy, such as location, backend, body or req.set.NAME.',
});
described.add(Entry.shape.shadow, {
  description: 'The action of the entry if its list were not in shadow mode; only with action log.',
});
described.add(Entry.shape.expiresAt, { description: 'Seconds since 1970; an expired entry must not be answered.' });
described.add(Entry.shape.unlessAllowed, {
  description: 'With an allow for a path: the entry that wins where allows do not count.',
});
described.add(UpdatesPage, {
  id: 'UpdatesPage',
  description: 'The changes of the requested lists after the cursor, in the order of the log.',
});
described.add(UpdatesPage.shape.cursor, { description: 'Where this page ends; the next request sends it as after.' });
described.add(UpdatesPage.shape.provenAgeMs, {
  description: 'Changes older than this many milliseconds are proven to be in the log; null without proof.',
});
described.add(UpdatesPage.shape.now, { description: 'The clock of the backend, in milliseconds since 1970.' });
described.add(UpdatesPage.shape.more, { description: 'The log goes on: the next request need not wait.' });
described.add(UpdatesPage.shape.waitMs, {
  description: 'How long to wait before the next request, if there is no more.',
});
described.add(UpdatesPage.shape.position, { description: 'How many records the log has had up to this cursor.' });
described.add(UpdatesPage.shape.checkpoint, {
  description: 'What the requested lists have at this cursor, for agents to compare with what they hold.',
});
described.add(ListState, {
  id: 'ListState',
  description: 'What a list has: the number of its entries, expired ones too, and the sum of their hashes.',
});
described.add(Mirror, {
  id: 'Mirror',
  description: 'Which segments have all entries of the requested lists, as they were at a place in the log.',
});
described.add(Mirror.shape.id, { description: 'Names this mirror; a later one has another id.' });
described.add(Mirror.shape.cursor, {
  description: 'The place in the log: the next request for updates sends it as after.',
});
described.add(Mirror.shape.position, { description: 'How many records the log has had up to the cursor.' });
described.add(Mirror.shape.lists, { description: 'What each requested list has at the cursor.' });
described.add(Mirror.shape.segments, { description: 'Those of the requested lists, in any order.' });
described.add(Mirror.shape.now, { description: 'The clock of the backend, in milliseconds since 1970.' });
described.add(Segment, { id: 'Segment', description: 'A part of one list, which never changes.' });
described.add(Segment.shape.n, { description: 'Its number in the path.' });
described.add(Segment.shape.digest, { description: 'SHA-256 of its bytes before content-encoding, in hex.' });
described.add(Segment.shape.bytes, { description: 'How many bytes it has before content-encoding.' });
described.add(EntryClass, {
  id: 'EntryClass',
  description: 'What the entries after it say, beside their subjects and expiry.',
});
for (const [line, length] of [
  [EntryLine, 2],
  [SpelledLine, 3],
] as const)
  described.add(line, { minItems: length, maxItems: length }); // a tuple of Zod says the first items alone
described.add(SegmentLine, {
  id: 'SegmentLine',
  description:
    'A class; or the key of an entry, alone, with expiresAt, or with expiresAt and its subject in canonical form.',
});
described.add(Change, {
  id: 'Change',
  description: 'What is true of one key now: a later change of the same key replaces it.',
});
described.add(Change.shape.key, {
  description: 'The identity of the item: its subject as it is written there, and its list, one of those requested.',
});
described.add(Change.shape.entry, {
  description: 'The entry, with its subject in canonical form and in the same list; null if there is none any more.',
});
described.add(Refusal, { id: 'Refusal', description: 'One line for the caller, without internals.' });

/** The parts of the contract as JSON Schema, by name; they refer to each other by `uri`. */
export function contractSchemas(uri: (id: string) => string): Record<string, object> {
  // 'input' is what a sender may send: unknown fields are allowed on both sides
  const { schemas } = z.toJSONSchema(described, { uri, io: 'input', metadata: described });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _dialect, $id: _uri, ...schema }]) => [id, schema]),
  );
}

/** The parameters of `GET /v1/updates` as JSON Schema, by name. */
export function querySchemas(): Readonly<Record<keyof UpdatesRequest, object>> {
  const { properties } = z.toJSONSchema(UpdatesRequest, { io: 'input' });
  return properties as Record<keyof UpdatesRequest, object>; // it is an object schema
}

/** The contract as one JSON Schema document. */
export function contractDocument(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'haverdict: what the agent requests and the backend answers',
    $defs: contractSchemas((id) => `#/$defs/${id}`),
  };
}
