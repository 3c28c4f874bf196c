import { parseEntry } from '../../blocklist/entry.ts';
import { ACTIONS, isAction } from '../../contract/actions.ts';
import { printable } from '../../contract/printable.ts';
import { foldedName, isNothing, meaningOfWord } from './extra-field-meaning.ts';
import type { ExtraFields } from './extra-fields.ts';
import type { FeedEntry, FeedRecord } from './feed-line.ts';
import { parseGoDuration } from './go-duration.ts';
import { oneLine, singleLine, UnreadableError } from './invalid-line.ts';
import { isGiven, isLength, quoted, SUBJECT_FIELDS, subjectIn } from './record-subject.ts';

export interface RecordOptions {
  /** What a bare value is. */
  readonly kind: string;
  readonly nowMs: number;
  readonly fields: ExtraFields;
}

/** Folded names of when an entry ends, beside `expiresAt` and `duration`. */
const ENDS =
  /^(expires|expiry|expire|expiresat|expireson|expiration|expirationdate|expirydate|expiretime|validuntil|until)$/;
/** What an entry of ours has, under the same names. */
const ENTRY_FIELDS = ['list', 'action', 'reason', 'note', 'status', 'vars', 'createdBy', 'createdAt'] as const;

/** Every field of a record of ours, or of one that `cscli decisions import` takes. */
const READ: ReadonlySet<string> = new Set([
  ...SUBJECT_FIELDS,
  ...ENTRY_FIELDS,
  'scope',
  'type',
  'duration',
  'expiresAt',
]);

/** An entry from our own fields and those of `cscli decisions import`: scope, value, type, duration. */
export function entryOfRecord(given: FeedRecord, options: RecordOptions): FeedEntry {
  const record = options.fields.of(given);
  let subject = '';
  try {
    subject = subjectIn(record, options.kind, options.fields);
    options.fields.check(record, isRead, subject);
    return checked({
      subject,
      ...ownFields(record, subject),
      ...actionOfType(record, subject),
      ...expiryIn(record, options.nowMs),
    });
  } catch (error) {
    throw options.fields.misread(error, record, subject);
  }
}

function isRead(name: string): boolean {
  return READ.has(name) || isLength(name) || isEnd(name);
}

/** Fields of CrowdSec that say nothing of what is done; whether a decision is simulated was asked before. */
const ABOUT_A_DECISION = ['id', 'uuid', 'origin', 'scenario', 'created_at'];

/** A decision as CrowdSec lists it: it says what it is with `scenario`, where a record of ours has `reason`. */
export function entryOfDecision(decision: FeedRecord, options: RecordOptions): FeedEntry {
  const { scenario } = decision;
  const isAbout = (name: string) =>
    ABOUT_A_DECISION.includes(name) || (name === 'simulated' && decision[name] === false);
  const rest = Object.entries(decision).filter(([name]) => !isAbout(name));
  return {
    ...entryOfRecord(Object.fromEntries(rest), options),
    ...(typeof scenario === 'string' && scenario !== '' && { reason: oneLine(scenario) }),
  };
}

function ownFields(record: FeedRecord, subject: string): FeedRecord {
  const given = ENTRY_FIELDS.filter((field) => isGiven(record[field]));
  const nested = given.find((field) => field !== 'vars' && typeof record[field] === 'object');
  if (nested !== undefined) throw new UnreadableError(`${nested} is neither text nor a number`); // however deep it is
  const { action, status, list, note } = record;
  if (isGiven(action) && !isAction(action))
    throw notOurs('action', action, `is none of ${ACTIONS.join(', ')}`, subject);
  if (isGiven(status) && typeof status !== 'number') throw notOurs('status', status, 'is not an HTTP status', subject);
  if (meaningOfWord(list) !== undefined) throw notOurs('list', list, 'is not a blocklist', subject);
  return {
    ...Object.fromEntries(given.map((field) => [field, record[field]])),
    ...(typeof note === 'string' && { note: singleLine(note) }),
  };
}

/** A field that somebody else means otherwise, or that says to let pass. */
function notOurs(field: string, value: unknown, what: string, subject: string): UnreadableError {
  const exempt = meaningOfWord(value) === 'exempt' ? subject : undefined;
  return new UnreadableError(`${field} ${quoted(value)} ${what}; --ignore ${field} ignores it`, exempt);
}

/** The list and the action are filled in by who imports: `log` stands in, since it goes with every status. */
function checked(item: FeedEntry & FeedRecord): FeedEntry {
  const parsed = parseEntry({ list: 'feed', action: 'log', ...item });
  if ('problem' in parsed) throw new UnreadableError(parsed.problem);
  const { list, action, ...rest } = parsed.entry;
  return { ...rest, ...('list' in item && { list }), ...('action' in item && { action }) };
}

function actionOfType({ type }: FeedRecord, subject: string): Pick<FeedEntry, 'action'> {
  if (!isGiven(type)) return {};
  if (type === 'ban') return { action: 'deny' };
  throw notOurs('type', type, 'is not ban, and nothing here does the same', subject);
}

function isEnd(name: string): boolean {
  return ENDS.test(foldedName(name));
}

/** The first of the ends that a record names. */
function expiryIn(record: FeedRecord, nowMs: number): Pick<FeedEntry, 'expiresAt'> {
  const { expiresAt, duration } = record;
  const others = Object.entries(record).filter(
    ([name, value]) => name !== 'expiresAt' && isEnd(name) && !isNothing(value),
  );
  const ends = [
    ...(isGiven(expiresAt) ? [secondsOf('expiresAt', expiresAt)] : []),
    ...(isGiven(duration) ? [afterDuration(duration, nowMs)] : []),
    ...others.map(([name, value]) => secondsOf(printable(name), value)),
  ];
  return ends.length === 0 ? {} : { expiresAt: Math.min(...ends) };
}

function afterDuration(duration: unknown, nowMs: number): number {
  const ms = typeof duration === 'string' ? parseGoDuration(duration.trim()) : undefined;
  if (ms === undefined)
    throw new UnreadableError(`duration ${quoted(duration)} is not valid: write it like 3h59m12.5s`);
  return Math.floor((nowMs + ms) / 1000);
}

/** Epoch seconds as a number or as digits, or an instant with its zone. */
function secondsOf(field: string, value: unknown): number {
  if (typeof value === 'number') return value; // checked with the rest
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  const ms = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UnreadableError(`${field} ${quoted(value)} is neither epoch seconds nor like 2030-01-31T00:00:00Z`);
  return Math.floor(ms / 1000);
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
