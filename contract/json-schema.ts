import * as z from 'zod/mini';
import { CheckRequest, CheckResponse, Entry, Verdict } from './check.ts';

/** The body of every answer that is no 200. */
const Refusal = z.object({ error: z.string() });

const described = z.registry<{ id?: string; description?: string }>();
described.add(CheckRequest, {
  id: 'CheckRequest',
  description: 'Which subjects are asked, of which lists. Whoever reads it ignores fields it does not know.',
});
described.add(CheckRequest.shape.lists, {
  description: 'The lists to look into, in order of precedence. One that does not exist has no entries.',
});
described.add(CheckRequest.shape.shadowLists, {
  description: 'Those of the lists that are on trial. What they have is answered as log, with shadow.',
});
described.add(CheckRequest.shape.listActions, {
  description:
    'Those of the lists that are held to actions. An entry with another action counts as if it were not there.',
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
described.add(Verdict.shape.subject, { description: 'The subject as it was asked.' });
described.add(Verdict.shape.error, {
  description: 'Why this subject could not be looked up; its neighbours are answered all the same.',
});
described.add(Verdict.shape.overload, {
  description: 'Beside error: it was too much for now. The agent asks less often, and the reason is overload.',
});
described.add(Verdict.shape.notCounted, {
  description: 'Beside entry: what would have won of that which did not count because of listActions, for the log.',
});
described.add(Entry, {
  id: 'Entry',
  description: 'The entry that decides. It is of one of the lists that were asked.',
});
described.add(Entry.shape.subject, { description: 'The subject asked, or a network or wildcard that covers it.' });
described.add(Entry.shape.reason, { description: 'One line for logs and headers.' });
described.add(Entry.shape.status, { description: 'The HTTP status of a deny or tarpit, or of a redirect.' });
described.add(Entry.shape.vars, {
  description: 'What HAProxy is told beside the action, as location, backend, body or req.set.NAME.',
});
described.add(Entry.shape.shadow, {
  description: 'What the entry would do were its list not on trial; only beside action log.',
});
described.add(Entry.shape.expiresAt, { description: 'Seconds since 1970; an entry past it must not be answered.' });
described.add(Entry.shape.unlessAllowed, {
  description: 'Beside an allow for a path: the entry that wins where allows do not count.',
});
described.add(Refusal, { id: 'Refusal', description: 'One line for whoever asked, with nothing of the inside in it.' });

/** What the contract's parts look like as JSON Schema, by name; they refer to each other by `uri`. */
export function contractSchemas(uri: (id: string) => string): Record<string, object> {
  // 'input' is what a sender may send: unknown fields are allowed on both sides
  const { schemas } = z.toJSONSchema(described, { uri, io: 'input', metadata: described });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _dialect, $id: _uri, ...schema }]) => [id, schema]),
  );
}

/** The contract as one JSON Schema document. */
export function contractDocument(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'haverdict: what the agent asks and the backend answers',
    $defs: contractSchemas((id) => `#/$defs/${id}`),
  };
}
