import { printable } from '../../contract/printable.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedItem, type FeedRecord, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { itemsAtPaths } from './items-at-paths.ts';
import { duplicateName } from './json-document.ts';
import type { JsonPath } from './json-path.ts';
import { fieldOption, likelyPaths } from './likely-subject.ts';
import { readByLine } from './lines.ts';
import { itemOfRecord } from './record.ts';
import type { RecordOptions } from './record-subject.ts';
import { SUBJECT_FIELDS, subjectFieldsIn } from './record-subject.ts';
import { subjectsOf } from './subjects.ts';

/** One object or string per line. */
export const NDJSON: FeedFormat = {
  unit: 'line',
  extensions: ['ndjson', 'jsonl'],
  matches: ({ record }) => SUBJECT_FIELDS.some((field) => field in record),
  defaultFor: ['record', 'string'],
  read: (source) =>
    readByLine(source.bytes, (text) => (text.trim() === '' ? [] : itemsOfLine(parseJsonLine(text), source))),
};

function itemsOfLine(value: unknown, source: FeedSource): readonly FeedItem[] {
  return source.paths === undefined ? [itemOfValue(value, source)] : itemsAtPaths(value, source.paths, source);
}

/** Parses a JSON value that is a subject or contains one; `at` is where in the document it is. */
export function itemOfValue(value: unknown, options: RecordOptions, at: JsonPath = []): FeedItem {
  if (typeof value === 'string') return { subjects: subjectsOf(value.trim(), options.kind) };
  if (isRecord(value) && subjectFieldsIn(value).length > 0) return itemOfRecord(value, options);
  if (isRecord(value))
    throw options.fields.misread(withoutSubject(value, options.kind, at), options.fields.of(value), []);
  throw new InvalidLineError('is neither text nor an object');
}

function withoutSubject(value: FeedRecord, kind: string, at: JsonPath): InvalidLineError {
  const paths = likelyPaths(value, kind, at);
  const hint = paths.length === 0 ? '' : `: name the field with ${fieldOption(paths)}`;
  return new InvalidLineError(`has none of ${SUBJECT_FIELDS.join(', ')}${hint}`);
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
