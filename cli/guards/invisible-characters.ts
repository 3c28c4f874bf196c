import { type ParsedEntry, parseEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { LINE } from '../../contract/check.ts';

/** The texts of an entry that are shown to people. */
const TEXTS = ['subject', 'note', 'createdBy', 'createdAt'] as const;

/** The problem, in one line, if a text of the entry contains an invisible character; else undefined. */
export function invisibleCharacterProblem(item: Item): string | undefined {
  const field = TEXTS.find((name) => typeof item[name] === 'string' && !LINE.test(item[name]));
  return field === undefined ? undefined : `${field} has an invisible character`;
}

/** Parses an entry before it is written. More strict than for existing entries, which stay valid. */
export function parseNewEntry(item: Item): ParsedEntry {
  const parsed = parseEntry(item);
  const problem = 'entry' in parsed ? invisibleCharacterProblem(parsed.entry) : undefined;
  return problem === undefined ? parsed : { problem };
}
