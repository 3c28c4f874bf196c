import { isDeepStrictEqual } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Edit } from '../records.ts';
import type { Item } from '../store.ts';

/** Of the JSON of one part. An item has at most 400 KB, however little gzip saves. */
const MAX_PART_BYTES = 200_000;
/** Of one edit: a larger one was typed by hand, and is named without what it was. */
const MAX_EDIT_BYTES = 100_000;

/** `[subject, before, after]` with null for no entry; the subject alone if the rest cannot be recorded. */
type Row = [subject: string, before?: object | null, after?: object | null];

/** Edits as gzipped JSON, in as many parts as fit into one item each. */
export function packEdits(edits: readonly Edit[]): Uint8Array[] {
  const parts: string[][] = [[]];
  let bytes = 0;
  for (const edit of edits) {
    const text = textOf(edit);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > MAX_PART_BYTES) {
      parts.push([]);
      bytes = Buffer.byteLength(text) + 1;
    }
    parts.at(-1)?.push(text);
  }
  return parts.map((rows) => gzipSync(`[${rows.join()}]`));
}

/** The edits of a part; none of a part that was damaged by hand. */
export function unpackEdits(packed: Uint8Array): Edit[] {
  try {
    const text = gunzipSync(packed, { maxOutputLength: 2 * MAX_PART_BYTES }).toString();
    return (JSON.parse(text) as Row[]).map(editOf);
  } catch {
    return [];
  }
}

function textOf({ subject, before, after }: Edit): string {
  const text = JSON.stringify([subject, detailsOf(before) ?? null, detailsOf(after) ?? null]);
  const isWhole = isRecordable(before) && isRecordable(after) && Buffer.byteLength(text) <= MAX_EDIT_BYTES;
  return isWhole ? text : JSON.stringify([subject]);
}

function editOf([subject, before, after]: Row): Edit {
  if (before === undefined) return { subject, isIncomplete: true };
  return { subject, ...(before && { before: before as Item }), ...(after && { after: after as Item }) };
}

/** The attributes beside the key. */
function detailsOf(item: Item | undefined): object | undefined {
  if (item === undefined) return undefined;
  const { subject: _subject, list: _list, ...details } = item;
  return details;
}

/** Whether JSON keeps every attribute: it does not keep bytes, which only people write. */
function isRecordable(item: Item | undefined): boolean {
  if (item === undefined) return true;
  const present = Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
  return isDeepStrictEqual(JSON.parse(JSON.stringify(present)), present);
}
