import type { FeedLine, FeedRecord } from './feed-line.ts';
import { isRecord } from './feed-line.ts';
import type { JsonPath } from './json-path.ts';
import { parsedJson } from './parsed-json.ts';
import type { RecordOptions } from './record-subject.ts';
import { SUBJECT_FIELDS } from './record-subject.ts';

/** Everything about a format, in one place. */
export interface FeedFormat {
  /** What the line numbers count: lines of text, or items of a JSON document. */
  readonly unit: 'line' | 'item';
  /** File name extensions of the format, without the dot. */
  readonly extensions?: readonly string[];
  /** Whether the extension alone decides, whatever the content. */
  readonly isByExtension?: true;
  /** Whether its beginning says more than the extension of the file, which formats share. */
  readonly isUnmistakable?: true;
  /** Whether the beginning of a source is certainly in this format. */
  matches?(beginning: Beginning): boolean;
  /** The shapes of content for which this format is the default. */
  readonly defaultFor?: readonly Shape[];
  /** Whether entries have a score, for `--min-score`. */
  readonly hasScores?: true;
  read(source: FeedSource): AsyncIterable<FeedLine>;
}

/** The input of a format: a feed and the options for reading it. */
export interface FeedSource extends RecordOptions {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** File name or URL, for messages. */
  readonly name: string;
  /** Entries with a lower score are left out. */
  readonly minScore: number;
  /** The column with the subjects, by name or number. */
  readonly column?: string | undefined;
  /** Where in JSON the subjects are. */
  readonly paths?: readonly JsonPath[] | undefined;
  /** Remarks for the operator, complete once everything is read. */
  readonly remarks: string[];
}

/** `record` is a JSON object on the first of several lines, `object` one that is all there is, or continues on the next. */
export type Shape = 'record' | 'object' | 'array' | 'null' | 'string' | 'lines';

/** The beginning of a source, for detecting its format. */
export interface Beginning {
  readonly shape: Shape;
  readonly text: string;
  /** The first line that is neither empty nor a comment. */
  readonly firstLine: string;
  /** The object in the first line, empty if there is none. */
  readonly record: FeedRecord;
  /** Whether this is an object with such a field. A record with a subject is an entry and does not count. */
  hasField(name: string): boolean;
}

export function beginningOf(bytes: Uint8Array): Beginning {
  const text = new TextDecoder().decode(bytes).trim();
  const lines = text.split('\n').map((line) => line.trim());
  const json = text.startsWith('{') ? parsedJson(lines[0] ?? '') : undefined;
  const record = isRecord(json) ? json : {};
  const isEntry = SUBJECT_FIELDS.some((field) => field in record);
  return {
    shape: shapeOf(text, isRecord(json) && lines.length > 1),
    text,
    firstLine: lines.find((line) => line !== '' && !/^[#;]/.test(line)) ?? '',
    record,
    hasField: (name) =>
      text.startsWith('{') && !isEntry && (isRecord(json) ? name in json : text.includes(`"${name}"`)),
  };
}

const ADDRESS_IN_BRACKETS = /^\[[\da-f:.]*:[\da-f:.]*\]/i;

function shapeOf(text: string, hasRecord: boolean): Shape {
  if (text.startsWith('{')) return hasRecord ? 'record' : 'object';
  if (text.startsWith('[') && !ADDRESS_IN_BRACKETS.test(text)) return 'array';
  if (text.startsWith('"')) return 'string';
  return text === 'null' ? 'null' : 'lines';
}
