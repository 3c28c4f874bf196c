import * as z from 'zod/mini';
import type { Lease, ListRecord, RecordedChange, RecordedEdits } from './records.ts';
import type { Item } from './store.ts';

/**
 * Details, which may have been typed into the table by hand. One of the wrong type is treated as absent, since no decision
 * depends on it.
 */
const text = z.catch(z.optional(z.string()), undefined);
const number = z.catch(z.optional(z.number()), undefined);

const ListDetails = z.object({
  ...{ description: text, owner: text, createdBy: text, createdAt: text },
  ...{
    source: text,
    format: text,
    trust: text,
    etag: text,
    lastModified: text,
    left: text,
    entries: number,
    invalid: number,
    protected: number,
    syncedAt: text,
  },
});

const ChangeDetails = z.object({
  ...{ change: z.string(), by: z.catch(z.string(), 'unknown') },
  subjects: z.optional(z.array(z.string())),
  ...{ action: text, until: number, why: text, source: text, run: text },
  totals: z.catch(
    z.optional(
      z.object({ put: number, removed: number, unchanged: number, kept: number, invalid: number, protected: number }),
    ),
    undefined,
  ),
});

const EditsDetails = z.object({
  ...{ of: z.string(), by: z.catch(z.string(), 'unknown'), source: text },
  registration: z.catch(z.optional(ListDetails), undefined),
});

/** The time at the beginning of a record's sort key; a random part follows. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;

/** A registered list; undefined if the item has no name. */
export function parseListRecord(item: Item): ListRecord | undefined {
  const name = nameIn(item);
  return name === undefined ? undefined : { name, ...present(ListDetails.parse(item)) };
}

/** The name of the list that a reserved item is about. */
export function nameIn({ list }: Item): string | undefined {
  return typeof list === 'string' && list.startsWith('@') ? list.slice(1) : undefined;
}

/** A lease. One that was edited by hand into something invalid never ends, so that it is not taken unnoticed. */
export function parseLease({ holder, until }: Item): Lease {
  return { holder: String(holder), until: typeof until === 'number' ? until : Number.MAX_SAFE_INTEGER };
}

/** A record of the history of a list; undefined if the item is invalid. */
export function parseChange(list: string, item: Item): RecordedChange | undefined {
  const [at] = INSTANT.exec(String(item.list)) ?? [];
  const parsed = ChangeDetails.safeParse(item);
  if (at === undefined || !parsed.success) return undefined;
  const { totals, ...change } = present(parsed.data);
  return { list, at, ...change, ...(totals !== undefined && { totals: present(totals) }) };
}

/** A part of what a run changed, without its edits; undefined if the item is invalid. */
export function parseEdits(item: Item): Omit<RecordedEdits, 'edits'> | undefined {
  const [at] = INSTANT.exec(String(item.list)) ?? [];
  const parsed = EditsDetails.safeParse(item);
  if (at === undefined || !parsed.success) return undefined;
  const { of: list, registration, ...details } = parsed.data;
  return {
    list,
    at,
    ...present(details),
    ...(registration && { registration: { name: list, ...present(registration) } }),
  };
}

/** Removes undefined properties. */
function present<Shape extends object>(details: Shape): { [Name in keyof Shape]: Exclude<Shape[Name], undefined> } {
  const entries = Object.entries(details).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Shape]: Exclude<Shape[Name], undefined> }; // the same, less some
}
