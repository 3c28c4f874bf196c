import { parseEntry } from '../../blocklist/entry.ts';
import { asReason } from '../../blocklist/reason.ts';
import { ACTIONS, isAction } from '../../contract/actions.ts';
import { printable } from '../../contract/printable.ts';
import { folded, foldedName, isNothing, meaningOfWord } from './extra-field-meaning.ts';
import type { FeedEntry, FeedItem, FeedRecord } from './feed-line.ts';
import { parseGoDuration } from './go-duration.ts';
import { InvalidLineError, singleLine } from './invalid-line.ts';
import { isGiven, isLength, quoted, type RecordOptions, SUBJECT_FIELDS, subjectsIn } from './record-subject.ts';

/** Folded names of expiry fields besides `expiresAt` and `duration`. */
const ENDS =
  /^(expires|expiry|expire|expiresat|expireson|expiration|expirationdate|expirydate|expiretime|validuntil|until)$/;
/** Words of others for `deny`, in any case; folded. */
const DENIES = /^(deny|denied|block(ed)?|ban(ned)?|reject(ed)?|refused?|blacklist(ed)?)$/;
/** The attributes of our own entries. */
const ENTRY_FIELDS = ['list', 'action', 'reason', 'note', 'status', 'vars', 'createdBy', 'createdAt'] as const;

/** All fields of our own records and of those for `cscli decisions import`. */
const READ: ReadonlySet<string> = new Set([
  ...SUBJECT_FIELDS,
  ...ENTRY_FIELDS,
  'scope',
  'type',
  'duration',
  'expiresAt',
]);

/** Reads an entry from our own fields and those of `cscli decisions import`: scope, value, type, duration. */
export function itemOfRecord(given: FeedRecord, options: RecordOptions): FeedItem {
  const record = options.fields.of(given);
  let subjects: readonly string[] = [];
  try {
    subjects = subjectsIn(record, options);
    const [subject = ''] = subjects;
    options.fields.check(record, (name) => isRead(name, record, options), subjects);
    const entry = checked({
      subject,
      ...ownFields(record, subject),
      ...actionOfType(record, subject),
      ...expiryIn(record, options.nowMs),
    });
    const { subject: _first, ...rest } = entry;
    return { subjects, ...rest };
  } catch (error) {
    throw options.fields.misread(error, record, subjects);
  }
}

function isRead(name: string, record: FeedRecord, { subjectField }: RecordOptions): boolean {
  if (name === subjectField) return true;
  if (name === 'status') return !isForeignStatus(record);
  if (name === 'type') return isDecision(record);
  const isOther = subjectField !== undefined && SUBJECT_FIELDS.some((field) => field === name);
  return !isOther && (READ.has(name) || isLength(name) || isEnd(name));
}

/** Whether `type` is CrowdSec's: others have it for what they saw. */
function isDecision({ scope, duration }: FeedRecord): boolean {
  return isGiven(scope) || isGiven(duration);
}

/** Whether `status` is no number: others have it for how a server was found. */
function isForeignStatus({ status }: FeedRecord): boolean {
  return typeof status === 'string' && !/^\s*\d{1,3}\s*$/.test(status);
}

/** CrowdSec's fields without effect on the action; `simulated` was checked before. */
const ABOUT_A_DECISION = ['id', 'uuid', 'origin', 'scenario', 'created_at'];

/** Reads a decision as CrowdSec lists it; its `scenario` becomes the `reason`. */
export function itemOfDecision(decision: FeedRecord, options: RecordOptions): FeedItem {
  const { scenario } = decision;
  const isAbout = (name: string) =>
    ABOUT_A_DECISION.includes(name) || (name === 'simulated' && decision[name] === false);
  const rest = Object.entries(decision).filter(([name]) => !isAbout(name));
  return {
    ...itemOfRecord(Object.fromEntries(rest), options),
    ...(typeof scenario === 'string' && scenario !== '' && { reason: asReason(scenario) }),
  };
}

function ownFields(record: FeedRecord, subject: string): FeedRecord {
  const given = ENTRY_FIELDS.filter(
    (field) => isGiven(record[field]) && !(field === 'status' && isForeignStatus(record)),
  );
  const nested = given.find((field) => field !== 'vars' && typeof record[field] === 'object');
  if (nested !== undefined) throw new InvalidLineError(`${nested} is neither text nor a number`); // at any depth
  const { status, list, note, reason } = record;
  const action = DENIES.test(folded(String(record.action))) ? 'deny' : record.action;
  if (isGiven(action) && !isAction(action))
    throw notOurs('action', action, `is none of ${ACTIONS.join(', ')}`, subject);
  if (meaningOfWord(list) !== undefined) throw notOurs('list', list, 'is not a blocklist', subject);
  return {
    ...Object.fromEntries(given.map((field) => [field, field === 'action' ? action : record[field]])),
    ...(typeof status === 'string' && !isForeignStatus(record) && { status: Number(status) }),
    ...(isGiven(reason) && { reason: asReason(String(reason)) }),
    ...(typeof note === 'string' && { note: singleLine(note) }),
  };
}

/** The error for a field of ours with a foreign value, which may exempt the subject. */
function notOurs(field: string, value: unknown, what: string, subject: string): InvalidLineError {
  const exempt = meaningOfWord(value) === 'exempt' ? subject : undefined;
  return new InvalidLineError(`${field} ${quoted(value)} ${what}; --ignore ${field} ignores it`, exempt);
}

/** Validates the entry. The importer sets list and action; until then `log`, which allows every status, stands in. */
function checked(item: FeedEntry & FeedRecord): FeedEntry {
  const parsed = parseEntry({ list: 'feed', action: 'log', ...item });
  if ('problem' in parsed) throw new InvalidLineError(parsed.problem);
  const { list, action, ...rest } = parsed.entry;
  return { ...rest, ...('list' in item && { list }), ...('action' in item && { action }) };
}

function actionOfType(record: FeedRecord, subject: string): Pick<FeedEntry, 'action'> {
  const { type } = record;
  if (!isGiven(type) || !isDecision(record)) return {};
  if (type === 'ban') return { action: 'deny' };
  throw notOurs('type', type, 'is not ban, and nothing here does the same', subject);
}

function isEnd(name: string): boolean {
  return ENDS.test(foldedName(name));
}

/** The earliest expiry of a record. */
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
    throw new InvalidLineError(`duration ${quoted(duration)} is not valid: write it like 3h59m12.5s`);
  return Math.floor((nowMs + ms) / 1000);
}

/** Parses epoch seconds, as a number or digits, or an instant with its zone. */
function secondsOf(field: string, value: unknown): number {
  if (typeof value === 'number') return value; // checked with the rest
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  const ms = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms))
    throw new InvalidLineError(`${field} ${quoted(value)} is neither epoch seconds nor like 2030-01-31T00:00:00Z`);
  return Math.floor(ms / 1000);
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
