import { shown } from '../../contract/shown.ts';
import { readByLine } from './by-line.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { isRecord } from './feed-record.ts';
import { entryOfRecord, type RecordOptions } from './record.ts';
import { nameTwice } from './twice.ts';
import { subjectOf, UnreadableError } from './unreadable.ts';

/** An object or a string a line. */
export function readNdjson(bytes: AsyncIterable<Uint8Array>, options: RecordOptions): AsyncIterable<FeedLine> {
  return readByLine(bytes, (text) => (text.trim() === '' ? [] : [entryOfValue(parseJsonLine(text), options)]));
}

/** A JSON value that is a subject or has one. */
export function entryOfValue(value: unknown, options: RecordOptions): FeedEntry {
  if (typeof value === 'string') return { subject: subjectOf(value.trim(), options.kind) };
  if (isRecord(value)) return entryOfRecord(value, options);
  throw new UnreadableError('is neither text nor an object');
}

export function parseJsonLine(text: string): unknown {
  const value = parsed(text);
  const twice = nameTwice(text);
  if (twice === undefined) return value;
  throw new UnreadableError(`has "${shown(twice, 60)}" twice: which of them is meant is not certain`, '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableError('is not JSON');
  }
}
