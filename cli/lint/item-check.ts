import { readEntry } from '../../blocklist/as-meant.ts';
import { nameIn, parseChange, parseEdits } from '../../blocklist/parse-records.ts';
import type { Item } from '../../blocklist/store.ts';
import { isReserved, RESERVED } from '../../blocklist/table.ts';
import { formatSubject, isKind, parseSubject, SubjectError } from '../../contract/subject.ts';
import { plural } from '../output/plural.ts';
import type { Finding, FindingId } from './finding.ts';

/** AWS documents that DynamoDB deletes items within two days after expiry; one more day is tolerated. */
export const DELETED_AFTER_SECONDS = 3 * 86_400;

const NAMED = [RESERVED.lists, RESERVED.leases, RESERVED.histories] as const;
const HISTORY = RESERVED.historyOf('');
const EDITS = RESERVED.editsOf('');
const CANARIES = RESERVED.canaryOf('', '').slice(0, -1);

/** The finding about an item alone; undefined if it is a valid entry or record. */
export function itemFinding(item: Item, nowSeconds: number): Finding | undefined {
  if (isReserved(item.subject)) return recordFinding(item);
  return longExpired(item, nowSeconds) ?? subjectFinding(item) ?? attributeFinding(item);
}

/** The subject as printed; hides secrets that were stored in clear text. */
export function printableSubject({ subject }: Item): string {
  const text = String(subject);
  return /^key:(?!sha256:)/i.test(text) ? 'key:…' : text;
}

function longExpired(item: Item, nowSeconds: number): Finding | undefined {
  const { expiresAt } = item;
  if (typeof expiresAt !== 'number' || !(expiresAt > 0) || expiresAt > nowSeconds - DELETED_AFTER_SECONDS)
    return undefined;
  const days = Math.floor((nowSeconds - expiresAt) / 86_400);
  const problem = `expired ${plural(days, 'day')} ago and should have been deleted: is expiresAt the TTL attribute of the table?`;
  return { ...finding(item, 'long-expired', problem), repair: { how: 'delete', item } };
}

function subjectFinding(item: Item): Finding | undefined {
  const text = String(item.subject);
  try {
    const canonical = formatSubject(parseSubject(text));
    return canonical === text ? undefined : notCanonical(item, canonical);
  } catch (error) {
    if (error instanceof SubjectError) return finding(item, kindOfMistake(text, error.message), error.message);
    throw error;
  }
}

/** Repaired only if the rest of the entry is valid, so that its effect is certain. */
function notCanonical(item: Item, canonical: string): Finding {
  const isSecret = canonical.startsWith('key:') && printableSubject(item) !== item.subject;
  const problem = isSecret
    ? `is a secret in plain text, which is never looked up: write "${canonical}", and change the secret`
    : `is not canonical and is never looked up: write "${canonical}"`;
  const found = finding(item, isSecret ? 'plain-secret' : 'not-canonical', problem);
  const read = readEntry({ ...item, subject: canonical });
  return 'problem' in read ? found : { ...found, repair: { how: 'rewrite', item, entry: read.entry } };
}

function attributeFinding(item: Item): Finding | undefined {
  const read = readEntry(item);
  if ('problem' in read) return finding(item, 'bad-attributes', read.problem);
  return read.corrections.length === 0 ? undefined : finding(item, 'bad-attributes', read.corrections.join('; '));
}

function recordFinding(item: Item): Finding | undefined {
  const subject = String(item.subject);
  if (isReadable(subject, item)) return undefined;
  return finding(item, 'unreadable-record', 'is not a record that the commands know: it is never read');
}

function isReadable(subject: string, item: Item): boolean {
  const { subjects: _lists, ...record } = item; // a DynamoDB list, which an item of plain values does not have
  if (subject.startsWith(HISTORY)) return parseChange(subject.slice(HISTORY.length), record) !== undefined;
  if (subject.startsWith(EDITS)) return parseEdits(record) !== undefined;
  if (subject.startsWith(CANARIES)) return typeof record.at === 'number';
  return NAMED.some((name) => name === subject) && nameIn(item) !== undefined;
}

/** Classifies an invalid subject by its text, since the error has only a message. */
function kindOfMistake(text: string, message: string): FindingId {
  if (message.includes('bits set after its prefix')) return 'host-bits';
  return isKind(text.slice(0, Math.max(0, text.indexOf(':'))).toLowerCase()) ? 'bad-subject' : 'unknown-kind';
}

function finding(item: Item, id: FindingId, problem: string): Finding {
  return { id, subject: printableSubject(item), list: String(item.list), problem };
}
