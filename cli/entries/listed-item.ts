import { readEntry } from '../../blocklist/as-meant.ts';
import { isExpired, type StoredEntry } from '../../blocklist/entry.ts';
import type { EntryStore, Item } from '../../blocklist/store.ts';
import { lookupKeys, type Subject } from '../../contract/subject.ts';
import { expiryText } from '../options/expiry.ts';

/** Every item, of any list, that can match this subject; most specific first. */
export async function itemsCovering(subject: Subject, entries: Pick<EntryStore, 'ofSubject'>): Promise<Item[]> {
  const found = await Promise.all(lookupKeys(subject).map((text) => Array.fromAsync(entries.ofSubject(text))));
  return found.flat();
}

/** An item of the table as the commands print it: valid, expired, or invalid with the reason. */
export type ListedItem =
  | { readonly state: 'good' | 'expired'; readonly entry: StoredEntry }
  | { readonly state: 'bad'; readonly item: Item; readonly problem: string };

const MAX_TEXT_WIDTH = 60;

export const COLUMNS = [
  'SUBJECT',
  'LIST',
  'ACTION',
  'STATUS',
  'EXPIRES',
  'BY',
  'STATE',
  'REASON',
  'NOTE',
  'VARS',
] as const;

export function listedItem(item: Item, nowSeconds: number): ListedItem {
  const parsed = readEntry(item);
  if ('problem' in parsed) return { state: 'bad', item, problem: parsed.problem };
  return { state: isExpired(parsed.entry, nowSeconds) ? 'expired' : 'good', entry: parsed.entry };
}

/** The cells under COLUMNS; `state` is the text for an entry in force. */
export function cellsOf(listed: ListedItem, state = ''): string[] {
  if (listed.state === 'bad') {
    const { subject, list } = listed.item;
    return [String(subject), String(list), '', '', '', '', 'bad', listed.problem, '', ''];
  }
  const { subject, list, action, status, expiresAt, createdBy = '', reason = '', note = '', vars = {} } = listed.entry;
  const stateCell = listed.state === 'expired' ? 'expired' : state;
  const end = expiryText(expiresAt);
  return [
    subject,
    list,
    action,
    String(status ?? ''),
    end,
    createdBy,
    stateCell,
    reason,
    shortened(note),
    shortened(varsText(vars)),
  ];
}

function varsText(vars: Readonly<Record<string, string>>): string {
  return Object.entries(vars)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** A note can be as long as an item; `--json` prints all of it. */
function shortened(text: string): string {
  return text.length > MAX_TEXT_WIDTH ? `${text.slice(0, MAX_TEXT_WIDTH - 1)}…` : text;
}

/** An item in words, for a line that already names its subject and list. */
export function sentenceOf(listed: ListedItem): string {
  if (listed.state === 'bad') return `not a valid entry: ${listed.problem}`;
  const { action, expiresAt, reason, note, createdBy, createdAt } = listed.entry;
  const parts = [
    action,
    expiresAt === undefined
      ? 'no expiry'
      : `${listed.state === 'expired' ? 'expired' : 'until'} ${expiryText(expiresAt)}`,
    ...(createdBy === undefined && createdAt === undefined
      ? []
      : [`by ${createdBy ?? 'unknown'} ${createdAt ?? ''}`.trim()]),
    ...(reason ? [`reason "${reason}"`] : []),
    ...(note ? [`note "${shortened(note)}"`] : []),
  ];
  return parts.join(', ');
}

/** The item for `--json`. */
export function jsonOf(listed: ListedItem): Record<string, unknown> {
  if (listed.state === 'bad') return { ...listed.item, state: 'bad', problem: listed.problem };
  return { ...listed.entry, state: listed.state };
}
