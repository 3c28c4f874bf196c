import { printable } from '../../contract/printable.ts';
import type { FeedFormat } from './feed-format.ts';
import { type FeedEntry, isRecord } from './feed-line.ts';
import { InvalidLineError, subjectOf } from './invalid-line.ts';
import { duplicateName } from './json-document.ts';
import { readByLine } from './lines.ts';
import { entryOfRecord, type RecordOptions } from './record.ts';
import { SUBJECT_FIELDS } from './record-subject.ts';

/** One object or string per line. */
export const NDJSON: FeedFormat = {
  unit: 'line',
  extensions: ['ndjson', 'jsonl'],
  matches: ({ record }) => SUBJECT_FIELDS.some((field) => field in record),
  defaultFor: ['record', 'string'],
  read: (source) =>
    readByLine(source.bytes, (text) => (text.trim() === '' ? [] : [entryOfValue(parseJsonLine(text), source)])),
};

/** Parses a JSON value that is a subject or contains one. */
export function entryOfValue(value: unknown, options: RecordOptions): FeedEntry {
  if (typeof value === 'string') return { subject: subjectOf(value.trim(), options.kind) };
  if (isRecord(value)) return entryOfRecord(value, options);
  throw new InvalidLineError('is neither text nor an object');
}

export function parseJsonLine(text: string): unknown {
  const value = parsed(text);
  const twice = duplicateName(text);
  if (twice === undefined) return value;
  throw new InvalidLineError(`has "${printable(twice, 60)}" twice, which is ambiguous`, '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidLineError('is not JSON');
  }
}
