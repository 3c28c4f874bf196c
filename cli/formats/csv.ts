import { refuseMeaning } from './after-address.ts';
import { type Heading, headingIn, isHeadingComment, readHeading } from './csv-heading.ts';
import { type CsvRecord, recordsOf } from './csv-records.ts';
import { type Cell, cellsOf } from './csv-row.ts';
import { isAddress } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import type { FeedItem, FeedLine } from './feed-line.ts';
import { feedLines, InvalidLineError, singleLine } from './invalid-line.ts';
import { MAX_LINE_LENGTH } from './lines.ts';
import { itemOfRecord } from './record.ts';
import type { RecordOptions } from './record-subject.ts';
import { subjectsOf } from './subjects.ts';

/** The columns in which an empty text is a value. */
const TEXTS: readonly string[] = ['reason', 'note', 'createdBy', 'createdAt'];

/** An address in the first cell, as in tables without heading. */
const ADDRESS_FIRST = /^"?(?=[^,]*[.:])[\da-f.:/]{2,49}"?,/i;

/** The heading of a table of one column. */
const ONE_COLUMN = /^"?(subject|value|ip|cidr|address|ip[ _]?addr(ess)?)"?$/i;

/** A table: our own, that of `cscli decisions import`, or another whose column of subjects is named or chosen. */
export const CSV: FeedFormat = {
  unit: 'line',
  extensions: ['csv'],
  matches: ({ shape, firstLine }) =>
    ((shape === 'string' || (shape === 'lines' && /[,;\t]/.test(firstLine))) &&
      (headingIn(firstLine) !== undefined || ADDRESS_FIRST.test(firstLine))) ||
    ONE_COLUMN.test(firstLine),
  read: readCsv,
};

async function* readCsv(source: FeedSource): AsyncGenerator<FeedLine> {
  let heading: Heading | undefined;
  for await (const records of recordsOf(source.bytes)) {
    for (const record of records) {
      if (isSkipped(record, heading, source)) continue;
      const isFirst = heading === undefined;
      heading ??= readHeading(record, source);
      if (!isFirst || heading.isMissing) yield* linesOfRecord(record, heading, source);
    }
  }
}

function linesOfRecord({ line, text, isWhole }: CsvRecord, heading: Heading, options: RecordOptions) {
  return feedLines(
    line,
    () => text,
    () => {
      if (!isWhole) rejectUnclosed();
      try {
        return [itemOf(text, heading, options)];
      } catch (error) {
        throw !heading.isMissing && isHeading(text, heading) ? secondHeading() : error;
      }
    },
  );
}

/** Comments are skipped, but for one that is the heading. */
function isSkipped({ text, isWhole }: CsvRecord, heading: Heading | undefined, source: FeedSource): boolean {
  if (!isWhole || !(text.trim() === '' || text.startsWith('#'))) return false;
  return heading === undefined ? !isHeadingComment(text, source) : headingIn(text) === undefined;
}

function itemOf(text: string, heading: Heading, options: RecordOptions): FeedItem {
  const { columns, separator, subjectField, isMissing } = heading;
  const cells = cellsOf(text, separator);
  if (cells === undefined)
    throw new InvalidLineError('has a quote inside a cell that is not quoted: quote the whole cell');
  if (isMissing) return itemOfCells(cells, heading, options);
  if (cells.length < columns.length || cells.slice(columns.length).some((cell) => cell !== undefined))
    throw new InvalidLineError(`has ${cells.length} cells, the heading has ${columns.length}`);
  const fields = columns.flatMap((column, index) => {
    const value = fieldOf(column, cells[index]);
    return value === undefined ? [] : [[column, value]];
  });
  return itemOfRecord(Object.fromEntries(fields), { ...options, subjectField });
}

/** Without a heading nobody knows what the other cells are: a note, unless one changes the meaning of the subject. */
function itemOfCells(
  cells: readonly Cell[],
  { columns, subjectField = '' }: Heading,
  options: RecordOptions,
): FeedItem {
  const subject = cells[columns.indexOf(subjectField)] ?? '';
  const others = cells.flatMap((cell, index) =>
    cell === undefined || cell.trim() === '' || columns[index] === subjectField ? [] : [cell],
  );
  const subjects = subjectsOf(subject.trim(), options.kind);
  for (const other of others) refuseMeaning(other, subject, subjects);
  const note = singleLine(others.join(', '));
  return { subjects, ...(note !== '' && { note }) };
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
