import { type Change, MAX_CHANGES, type UpdatesPage } from '../contract/updates.ts';
import { provenAgeMs } from './chain.ts';
import { cursorOf, type Place, START } from './cursor.ts';
import { NO_STATE } from './digest.ts';
import { type LogRecord, NO_BASE, statesIn, unpack } from './record.ts';

/** The changes of a page as JSON; an answer has at most 1 MiB, and one record up to 256 KB. */
export const MAX_PAGE_BYTES = 512 * 1024;

/** Records in the order of their numbers, and whether the log may have more. */
export interface Read {
  readonly records: readonly LogRecord[];
  readonly isAll: boolean;
}

export interface PageOptions {
  readonly lists: readonly string[];
  readonly nowMs: number;
  /** How long agents wait for the next page. */
  readonly waitMs: number;
}

/** A page, and what the record has at which it ends; without one where the log is empty. */
export interface PageRead {
  readonly page: UpdatesPage;
  readonly end: LogRecord | undefined;
}

/** The end of the log, for an agent that has no cursor yet. */
export function pageAtEnd(tail: LogRecord | undefined, options: PageOptions): PageRead {
  return pageOf(tail !== undefined && isThere(tail, options) ? tail : undefined, { changes: [], more: false }, options);
}

/**
 * The page after a place, from what the log has from there on; undefined if the place is not in the log any more, or is of
 * another log. It ends before a record that is missing or cannot be read, since changes after it would be out of order.
 */
export function pageAfter(place: Place, { records, isAll }: Read, options: PageOptions): PageRead | undefined {
  const there = fromPlace(place, records, options);
  if (there === undefined) return undefined;
  const [first, ...next] = there;
  const lists = new Set(options.lists);
  const changes: Change[] = [];
  let end: LogRecord | undefined = first;
  let checkpoint: UpdatesPage['checkpoint'];
  let bytes = 0;
  let more = !isAll;
  for (const record of next) {
    const own = record.number === numberAfter(end) && isThere(record, options) ? unpack(record) : undefined;
    const asked = own?.filter(({ key }) => lists.has(key.list)) ?? [];
    bytes += asked.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(asked));
    const isFull = changes.length + asked.length > MAX_CHANGES || (changes.length > 0 && bytes > MAX_PAGE_BYTES);
    if (own === undefined || isFull) {
      more = isFull;
      break;
    }
    changes.push(...asked);
    end = record;
    const states = statesIn(record);
    if (states === undefined) continue;
    checkpoint = { lists: Object.fromEntries(options.lists.map((list) => [list, states[list] ?? NO_STATE])) };
    more ||= record !== next.at(-1); // another page, since it is of this very place
    break;
  }
  const isOfThisBase = end === undefined || end.base === NO_BASE || end.base === place.base;
  return isOfThisBase ? pageOf(end, { changes, more, ...(checkpoint && { checkpoint }) }, options) : undefined;
}

/** The record of the place, undefined at the start of the log, and what is after it. */
function fromPlace(
  place: Place,
  records: readonly LogRecord[],
  options: PageOptions,
): [LogRecord | undefined, ...LogRecord[]] | undefined {
  if (place.number === START.number) {
    const there = records.filter((record) => isThere(record, options));
    return place.id === START.id && (there[0]?.number ?? 1) === 1 ? [undefined, ...there] : undefined;
  }
  const [first, ...next] = records;
  if (first === undefined || !isThere(first, options)) return undefined;
  return first.number === place.number && first.id === place.id && first.base === place.base
    ? [first, ...next]
    : undefined;
}

function pageOf(
  end: LogRecord | undefined,
  read: Pick<UpdatesPage, 'changes' | 'more' | 'checkpoint'>,
  { nowMs, waitMs }: PageOptions,
): PageRead {
  const ageMs = end === undefined ? undefined : provenAgeMs(end, nowMs);
  const { number } = end ?? START;
  const page = { cursor: cursorOf(end ?? START), position: number, provenAgeMs: ageMs ?? null, now: nowMs, waitMs };
  return { page: { ...page, ...read }, end };
}

function numberAfter(record: LogRecord | undefined): number {
  return (record?.number ?? START.number) + 1;
}

function isThere({ expiresAt }: LogRecord, { nowMs }: PageOptions): boolean {
  return expiresAt * 1000 > nowMs;
}
