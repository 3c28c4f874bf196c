import { type ParsedEntry, parseEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { LINE } from '../../contract/check.ts';

/** What whoever reads a list reads of its entries. */
const TEXTS = ['subject', 'note', 'createdBy', 'createdAt'] as const;

/** Which text of an entry has a character in it that nobody sees, in one line; undefined if none. */
export function invisibleCharacterProblem(item: Item): string | undefined {
  const field = TEXTS.find((name) => typeof item[name] === 'string' && !LINE.test(item[name]));
  return field === undefined ? undefined : `${field} has an invisible character`;
}

/** Reads an entry that is to be written: one that stands in the table already counts, whoever could read it. */
export function parseNewEntry(item: Item): ParsedEntry {
  const parsed = parseEntry(item);
  const problem = 'entry' in parsed ? invisibleCharacterProblem(parsed.entry) : undefined;
  return problem === undefined ? parsed : { problem };
}
