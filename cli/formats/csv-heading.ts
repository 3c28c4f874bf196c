import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import type { CsvRecord } from './csv-records.ts';
import { type Cell, cellsOf } from './csv-row.ts';
import { folded } from './extra-field-meaning.ts';
import type { FeedSource } from './feed-format.ts';
import { isLikely } from './likely-subject.ts';
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

/** The columns of a table by position, with our names for known ones. */
export interface Heading {
  readonly columns: readonly string[];
  readonly separator: string;
  /** The column with the subjects, unless it is one of ours. */
  readonly subjectField?: string | undefined;
  /** Whether the table has none, so that its first record is an entry. */
  readonly isMissing: boolean;
}

const SEPARATORS = [',', ';', '\t'] as const;

/** Other names of the column of a kind. */
const OF_KIND: Readonly<Record<string, readonly string[]>> = {
  ip: ['ipaddress', 'ipaddr'],
  asn: ['as', 'asnumber', 'autonomoussystemnumber'],
  host: ['hostname', 'domain', 'domainname', 'fqdn'],
  ua: ['useragent', 'agent'],
  country: ['countrycode'],
};

/** The columns of a table whose first record this is; `column` is the name or number of `--column`. */
export function readHeading({ line, text }: CsvRecord, { name, kind, column, remarks }: FeedSource): Heading {
  const where = `${name}:${line}`;
  const heading =
    column === undefined ? (headingIn(text) ?? headingOfKind(text, kind)) : chosenHeading(text, kind, column, where);
  const twice = heading?.columns.find((one, index, columns) => columns.indexOf(one) < index);
  if (twice !== undefined) throw new CliError(EXIT.failed, `${where} has two columns "${printable(twice)}"`);
  const found = heading ?? (column === undefined ? withoutHeading(text, kind) : undefined);
  if (found !== undefined) {
    if (isNumber(column) && !found.isMissing) remarks.push(`line ${line} is its heading: ${printable(text, 120)}`);
    return found;
  }
  throw new CliError(
    EXIT.failed,
    `${where} "${printable(text)}" is not a table heading with one of the columns ${SUBJECT_FIELDS.join(', ')}: name the column with --column, as --column ${columnToName(text, kind)}`,
  );
}

/** Whether a comment is a heading: with a column that has the subjects. */
export function isHeadingComment(text: string, { kind, column }: FeedSource): boolean {
  if (!text.startsWith('#')) return false;
  if (column === undefined) return (headingIn(text) ?? headingOfKind(text, kind)) !== undefined;
  return columnsOf(text, separatorOf(text)).some((name) => folded(name) === folded(column));
}

/** Parses the heading; undefined if no column of ours has the subject. */
export function headingIn(text: string): Heading | undefined {
  for (const separator of SEPARATORS) {
    const columns = columnsOf(text, separator);
    if (SUBJECT_FIELDS.some((field) => columns.includes(field))) return { columns, separator, isMissing: false };
  }
  return undefined;
}

/** The heading if a column is named as the kind is. */
function headingOfKind(text: string, kind: string): Heading | undefined {
  const name = folded(kind.replace(/^(header|cookie)\./, ''));
  const names = [name, ...(OF_KIND[kind] ?? [])];
  for (const separator of SEPARATORS) {
    const columns = columnsOf(text, separator);
    const subjectField = columns.find((column) => names.includes(folded(column)));
    if (subjectField !== undefined) return { columns, separator, subjectField, isMissing: false };
  }
  return undefined;
}

/** Values that no column is called, of kinds whose values are not told from other texts. */
const UNLIKE_NAMES: Readonly<Record<string, RegExp>> = {
  asn: /^\d{1,10}$/,
  country: /^(?!CC$)[A-Z]{2}$/, // this is what such columns are called
  method: /^[A-Z]{3,}$/,
  path: /^\//,
};

function isNumber(column: string | undefined): boolean {
  return /^[1-9]\d{0,3}$/.test(column ?? '');
}

/** The heading with the column of `--column`; a number counts columns, of a table without heading too. */
function chosenHeading(text: string, kind: string, column: string, where: string): Heading {
  const separator = separatorOf(text);
  const columns = columnsOf(text, separator);
  const index = isNumber(column) ? Number(column) - 1 : columns.findIndex((name) => folded(name) === folded(column));
  const subjectField = columns[index];
  if (subjectField === undefined)
    throw new CliError(
      EXIT.failed,
      `${where} has no column ${printable(column)}: its columns are ${printable(columns.join(', '), 200)}`,
    );
  const cell = cellsOf(text, separator)?.[index];
  if (isNumber(column) && (isLikely(cell, kind) || UNLIKE_NAMES[kind]?.test(cell?.trim() ?? '')))
    return numbered(columns.length, separator, index);
  return { columns, separator, subjectField, isMissing: false };
}

/** A table whose first record has a subject of the kind: it has no heading. */
function withoutHeading(text: string, kind: string): Heading | undefined {
  for (const separator of SEPARATORS) {
    const cells = cellsOf(text, separator) ?? [];
    const index = cells.findIndex((cell) => isLikely(cell, kind));
    if (index >= 0) return numbered(cells.length, separator, index);
  }
  return undefined;
}

function numbered(count: number, separator: string, index: number): Heading {
  const columns = Array.from({ length: count }, (_, at) => `column ${at + 1}`);
  return { columns, separator, subjectField: columns[index], isMissing: true };
}

function columnsOf(text: string, separator: string): string[] {
  const names = cellsOf(text.trim().replace(/^#\s*/, ''), separator) ?? [];
  return names.map((name, index) => columnOf(name?.trim() || `column ${index + 1}`));
}

function columnOf(name: string): string {
  return COLUMNS.find((column) => column.toLowerCase() === name.toLowerCase()) ?? name;
}

/** The separator that makes the most cells. */
function separatorOf(text: string): string {
  const counts = SEPARATORS.map((separator) => cellsOf(text, separator)?.length ?? 0);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ',';
}

/** The column of a heading that an example names: one that sounds like a subject, else the first; a value that is no name, by its number. */
function columnToName(text: string, kind: string): string {
  const names = (cellsOf(text, separatorOf(text)) ?? []).map((name: Cell) => name?.trim() ?? '');
  const value = names.findIndex((name) => UNLIKE_NAMES[kind]?.test(name));
  if (value >= 0) return String(value + 1);
  const likely = names.findIndex((name) => /ip|addr|host|domain|ioc|indicator|agent|asn|network|range/i.test(name));
  const index = Math.max(0, likely);
  const name = printable(names[index] ?? '', 60);
  if (/^\d*$/.test(name)) return String(index + 1);
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", '')}'`;
}
