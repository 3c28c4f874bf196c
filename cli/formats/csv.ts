import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { type CsvRecord, recordsOf } from './csv-records.ts';
import { type Cell, cellsOf } from './csv-row.ts';
import { isAddress } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { feedLines, InvalidLineError } from './invalid-line.ts';
import { MAX_LINE_LENGTH } from './lines.ts';
import { entryOfRecord, type RecordOptions } from './record.ts';
import { SUBJECT_FIELDS } from './record-subject.ts';

/** The columns that are read, by case-insensitive name. */
export const COLUMNS = [
  ...SUBJECT_FIELDS,
  'scope',
  'type',
  'duration',
  'action',
  'reason',
  'note',
  'status',
  'expiresAt',
  'vars',
  'list',
  'createdBy',
  'createdAt',
] as const;

/** The columns in which an empty text is a value. */
const TEXTS: readonly string[] = ['reason', 'note', 'createdBy', 'createdAt'];

/** The columns of a table by position, with our names for known ones. */
interface Heading {
  readonly columns: readonly string[];
  readonly separator: string;
}

/** A table with a heading: our own, or that of `cscli decisions import`. */
export const CSV: FeedFormat = {
  unit: 'line',
  extensions: ['csv'],
  matches: ({ shape, firstLine }) =>
    (shape === 'string' || (shape === 'lines' && /[,;\t]/.test(firstLine))) && headingIn(firstLine) !== undefined,
  read: readCsv,
};

async function* readCsv(source: FeedSource): AsyncGenerator<FeedLine> {
  let heading: Heading | undefined;
  for await (const records of recordsOf(source.bytes)) {
    for (const record of records) {
      if (isSkipped(record)) continue;
      if (heading === undefined) heading = readHeading(record, source.name);
      else yield* linesOfRecord(record, heading, source);
    }
  }
}

function readHeading({ line, text }: CsvRecord, name: string): Heading {
  const heading = headingIn(text);
  const twice = heading?.columns.find((column, index, columns) => columns.indexOf(column) < index);
  if (twice !== undefined) throw new CliError(EXIT.failed, `${name}:${line} has two columns "${printable(twice)}"`);
  if (heading !== undefined) return heading;
  throw new CliError(
    EXIT.failed,
    `${name}:${line} "${printable(text)}" is not a table heading with one of the columns ${SUBJECT_FIELDS.join(', ')}`,
  );
}

function linesOfRecord({ line, text, isWhole }: CsvRecord, heading: Heading, options: RecordOptions) {
  return feedLines(
    line,
    () => text,
    () => {
      if (!isWhole) rejectUnclosed();
      try {
        return [entryOf(text, heading, options)];
      } catch (error) {
        throw isHeading(text, heading) ? secondHeading() : error;
      }
    },
  );
}

/** Parses the heading; undefined if no column can have the subject. */
function headingIn(text: string): Heading | undefined {
  for (const separator of [',', ';', '\t']) {
    const names = cellsOf(text.trim().replace(/^#\s*/, ''), separator) ?? [];
    const columns = names.map((name, index) => columnOf(name?.trim() || `column ${index + 1}`));
    if (SUBJECT_FIELDS.some((field) => columns.includes(field))) return { columns, separator };
  }
  return undefined;
}

function columnOf(name: string): string {
  return COLUMNS.find((column) => column.toLowerCase() === name.toLowerCase()) ?? name;
}

function isSkipped({ text, isWhole }: CsvRecord): boolean {
  return isWhole && (text.trim() === '' || (text.startsWith('#') && headingIn(text) === undefined));
}

function entryOf(text: string, { columns, separator }: Heading, options: RecordOptions): FeedEntry {
  const cells = cellsOf(text, separator);
  if (cells === undefined)
    throw new InvalidLineError('has a quote inside a cell that is not quoted: quote the whole cell');
  if (cells.length < columns.length || cells.slice(columns.length).some((cell) => cell !== undefined))
    throw new InvalidLineError(`has ${cells.length} cells, the heading has ${columns.length}`);
  const fields = columns.flatMap((column, index) => {
    const value = fieldOf(column, cells[index]);
    return value === undefined ? [] : [[column, value]];
  });
  return entryOfRecord(Object.fromEntries(fields), options);
}

/** Converts a cell to the value of its column; undefined if it is empty. */
function fieldOf(column: string, cell: Cell): unknown {
  if (TEXTS.includes(column)) return cell;
  if (cell === undefined || cell.trim() === '') return undefined;
  if (column === 'status' && /^\d{1,3}$/.test(cell)) return Number(cell);
  return column === 'vars' ? varsIn(cell) : cell;
}

function varsIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidLineError('vars is not a JSON object');
  }
}

/** Whether an invalid row looks like a heading: column names and no address. */
function isHeading(text: string, { separator }: Heading): boolean {
  if (headingIn(text) === undefined) return false;
  return !(cellsOf(text, separator) ?? []).some((cell) => isAddress(cell ?? ''));
}

/** The rows below another heading may have different columns. */
function secondHeading(): InvalidLineError {
  return new InvalidLineError('is a second heading: write one table per file', '');
}

function rejectUnclosed(): never {
  throw new InvalidLineError(
    `has a quote that is not closed within ${MAX_LINE_LENGTH} characters, or is longer than that`,
  );
}
