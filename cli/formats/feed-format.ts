import type { FeedLine, FeedRecord } from './feed-line.ts';
import { isRecord } from './feed-line.ts';
import type { RecordOptions } from './record.ts';
import { SUBJECT_FIELDS } from './record-subject.ts';

/** Everything the program knows of a format: where it is declared is the only place that does. */
export interface FeedFormat {
  /** What the numbers of its problems count: lines of text, or items of a JSON document. */
  readonly unit: 'line' | 'item';
  /** The endings of file names that stand for it, without the dot. */
  readonly extensions?: readonly string[];
  /** Its extensions decide whatever the content looks like. */
  readonly isByExtension?: true;
  /** Whether the beginning of a source is surely in this format. */
  matches?(beginning: Beginning): boolean;
  /** It is assumed for content of these shapes that matches no format. */
  readonly defaultFor?: readonly Shape[];
  /** Its entries have a score, which `--min-score` is about. */
  readonly hasScores?: true;
  read(source: FeedSource): AsyncIterable<FeedLine>;
}

/** A feed and what is known of it, as a format reads it. */
export interface FeedSource extends RecordOptions {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** File name or URL, for messages. */
  readonly name: string;
  /** Entries with a lower score are left out. */
  readonly minScore: number;
  /** Lines for people, complete once everything is read. */
  readonly remarks: string[];
}

/** `record` is a whole JSON object in the first line, `object` one that goes on in the next. */
export type Shape = 'record' | 'object' | 'array' | 'null' | 'string' | 'lines';

/** The beginning of a source, as formats recognize themselves in it. */
export interface Beginning {
  readonly shape: Shape;
  readonly text: string;
  /** The first line that is neither empty nor a comment. */
  readonly firstLine: string;
  /** The object in the first line, empty if there is none. */
  readonly record: FeedRecord;
  /** Whether this is one object with such a field; a record that has a subject is an entry, and no such object. */
  hasField(name: string): boolean;
}

export function beginningOf(bytes: Uint8Array): Beginning {
  const text = new TextDecoder().decode(bytes).trim();
  const lines = text.split('\n').map((line) => line.trim());
  const json = text.startsWith('{') ? parsed(lines[0] ?? '') : undefined;
  const record = isRecord(json) ? json : {};
  const isEntry = SUBJECT_FIELDS.some((field) => field in record);
  return {
    shape: shapeOf(text, isRecord(json)),
    text,
    firstLine: lines.find((line) => line !== '' && !/^[#;]/.test(line)) ?? '',
    record,
    hasField: (name) =>
      text.startsWith('{') && !isEntry && (isRecord(json) ? name in json : text.includes(`"${name}"`)),
  };
}

function shapeOf(text: string, hasRecord: boolean): Shape {
  if (text.startsWith('{')) return hasRecord ? 'record' : 'object';
  if (text.startsWith('[')) return 'array';
  if (text.startsWith('"')) return 'string';
  return text === 'null' ? 'null' : 'lines';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
