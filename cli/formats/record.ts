import { shown } from '../../contract/shown.ts';
import { parseEntry } from '../../functions/blocklist/entry.ts';
import type { FeedEntry } from './feed-line.ts';
import { parseGoDuration } from './go-duration.ts';
import { inOneLine, oneLine, subjectOf, UnreadableError } from './unreadable.ts';

/** An object of a JSON document or a row of a table, whatever is in it. */
export type FeedRecord = Readonly<Record<string, unknown>>;

export interface RecordOptions {
  /** What a bare value is. */
  readonly kind: string;
  readonly nowMs: number;
}

/** The fields that can have the subject, in the order they are asked. Fields that are unknown are left alone. */
export const SUBJECT_FIELDS = ['subject', 'value', 'ip', 'cidr', 'address'] as const;
/** What an entry of ours has, under the same names. */
const ENTRY_FIELDS = ['list', 'action', 'reason', 'note', 'status', 'vars', 'createdBy', 'createdAt'] as const;

/** The kinds that CrowdSec's scopes are. */
const SCOPES = new Map([
  ['ip', 'ip'],
  ['range', 'ip'],
  ['country', 'country'],
  ['as', 'asn'],
]);

export function isRecord(value: unknown): value is FeedRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An entry from our own fields and those of `cscli decisions import`: scope, value, type, duration. */
export function entryOfRecord(record: FeedRecord, options: RecordOptions): FeedEntry {
  const item = {
    subject: subjectIn(record, options.kind),
    ...ownFields(record),
    ...actionOfType(record),
    ...expiryIn(record, options.nowMs),
  };
  return checked(item);
}

/** A decision as CrowdSec lists it: it says what it is with `scenario`, where a record of ours has `reason`. */
export function entryOfDecision(decision: FeedRecord, options: RecordOptions): FeedEntry {
  const { scenario } = decision;
  return {
    ...entryOfRecord(decision, options),
    ...(typeof scenario === 'string' && scenario !== '' && { reason: oneLine(scenario) }),
  };
}

function ownFields(record: FeedRecord): FeedRecord {
  const given = ENTRY_FIELDS.filter((field) => isGiven(record[field]));
  const nested = given.find((field) => field !== 'vars' && typeof record[field] === 'object');
  if (nested !== undefined) throw new UnreadableError(`${nested} is neither text nor a number`); // however deep it is
  const { note } = record;
  return {
    ...Object.fromEntries(given.map((field) => [field, record[field]])),
    ...(typeof note === 'string' && { note: inOneLine(note) }),
  };
}

/** The list and the action are filled in by who imports: `log` stands in, since it goes with every status. */
function checked(item: FeedEntry & FeedRecord): FeedEntry {
  const parsed = parseEntry({ list: 'feed', action: 'log', ...item });
  if ('problem' in parsed) throw new UnreadableError(parsed.problem);
  const { list, action, ...rest } = parsed.entry;
  return { ...rest, ...('list' in item && { list }), ...('action' in item && { action }) };
}

function subjectIn(record: FeedRecord, kind: string): string {
  const field = SUBJECT_FIELDS.find((name) => isGiven(record[name]));
  const value = field === undefined ? undefined : record[field];
  if (field === undefined) throw new UnreadableError(`has none of ${SUBJECT_FIELDS.join(', ')}`);
  if (typeof value !== 'string') throw new UnreadableError(`${field} is no text`);
  if (isGiven(record.scope)) return subjectOf(value, kindOfScope(record.scope));
  return subjectOf(value, field === 'subject' || field === 'value' ? kind : 'ip');
}

function kindOfScope(scope: unknown): string {
  const kind = typeof scope === 'string' ? SCOPES.get(scope.toLowerCase()) : undefined;
  if (kind === undefined)
    throw new UnreadableError(`scope ${quoted(scope)} is none of ${[...SCOPES.keys()].join(', ')}`);
  return kind;
}

function actionOfType({ type }: FeedRecord): Pick<FeedEntry, 'action'> {
  if (!isGiven(type)) return {};
  if (type === 'ban') return { action: 'deny' };
  throw new UnreadableError(`type ${quoted(type)} is not ban, and nothing here does the same`);
}

function expiryIn({ expiresAt, duration }: FeedRecord, nowMs: number): Pick<FeedEntry, 'expiresAt'> {
  if (isGiven(expiresAt)) return { expiresAt: secondsOf(expiresAt) };
  if (!isGiven(duration)) return {};
  const ms = typeof duration === 'string' ? parseGoDuration(duration.trim()) : undefined;
  if (ms === undefined) throw new UnreadableError(`duration ${quoted(duration)} is none, write it like 3h59m12.5s`);
  return { expiresAt: Math.floor((nowMs + ms) / 1000) };
}

/** Epoch seconds as a number or as digits, or an instant with its zone. */
function secondsOf(value: unknown): number {
  if (typeof value === 'number') return value; // checked with the rest
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  const ms = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UnreadableError(`expiresAt ${quoted(value)} is neither epoch seconds nor like 2030-01-31T00:00:00Z`);
  return Math.floor(ms / 1000);
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function quoted(value: unknown): string {
  return typeof value === 'object' ? 'with more in it' : `"${shown(String(value))}"`;
}
