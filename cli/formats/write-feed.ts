import type { StoredEntry } from '../../blocklist/entry.ts';
import { isDenied } from '../../contract/actions.ts';
import { LINE } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { jsonText } from '../output/json-text.ts';
import { csvRow } from './csv-row.ts';
import type { FormatName } from './formats.ts';
import { singleLine } from './invalid-line.ts';
import { withoutComment } from './plain.ts';

const CSV_COLUMNS = [
  'subject',
  'list',
  'action',
  'reason',
  'note',
  'status',
  'expiresAt',
  'vars',
  'createdBy',
  'createdAt',
] as const satisfies (keyof StoredEntry)[];

/**
 * The writers by format. CSV, JSON and NDJSON keep every attribute; `haproxy` is a map of subjects to actions; `plain` has
 * blocked subjects, and the rest as comments; `aws-waf` has only blocked addresses.
 */
const WRITERS = {
  plain: (entries) => byLine('', entries, plainLine),
  csv: (entries) => byLine(`${csvRow(CSV_COLUMNS)}\n`, entries, csvLine),
  json: (entries) => jsonArray('[', ']', entries, (entry) => jsonText(entry)),
  ndjson: (entries) => byLine('', entries, (entry) => jsonText(entry)),
  haproxy: (entries) => byLine('', entries, mapLine),
  'aws-waf': (entries) => jsonArray('{"Addresses":[', ']}', entries, wafAddress),
} as const satisfies Partial<Record<FormatName, (entries: AsyncIterable<StoredEntry>) => AsyncIterable<string>>>;

export type WrittenFormat = keyof typeof WRITERS;
export const WRITTEN_FORMATS = Object.keys(WRITERS) as readonly WrittenFormat[];

/** Yields the text of a file with these entries in pieces. */
export function writeFeed(format: WrittenFormat, entries: AsyncIterable<StoredEntry>): AsyncIterable<string> {
  return WRITERS[format](entries);
}

async function* byLine(
  heading: string,
  entries: AsyncIterable<StoredEntry>,
  write: (entry: StoredEntry) => string,
): AsyncGenerator<string> {
  if (heading !== '') yield heading;
  for await (const entry of entries) yield `${write(entry)}\n`;
}

async function* jsonArray(
  opening: string,
  closing: string,
  entries: AsyncIterable<StoredEntry>,
  write: (entry: StoredEntry) => string,
): AsyncGenerator<string> {
  let before = opening;
  for await (const entry of entries) {
    yield `${before}\n${write(entry)}`;
    before = ',';
  }
  yield before === ',' ? `\n${closing}\n` : `${opening}${closing}\n`;
}

function plainLine({ subject, action }: StoredEntry): string {
  refuseUnseen(subject, 'plain');
  if (withoutComment(subject, 'host').data !== subject) throw unfit(subject, 'plain', 'blanks or comment signs');
  return isDenied(action) ? bare(subject) : `# ${action}: ${bare(subject)}`;
}

/** A line of a map: addresses without kind, as HAProxy's `map_ip` needs them; other subjects with it. */
function mapLine({ subject, action }: StoredEntry): string {
  refuseUnseen(subject, 'haproxy');
  if (/\s/.test(subject)) throw unfit(subject, 'haproxy', 'a blank');
  return `${bare(subject)} ${action}`;
}

function bare(subject: string): string {
  return subject.replace(/^ip:/, '');
}

/** A network for AWS WAF, which needs a prefix length even for single addresses. */
function wafAddress({ subject, action }: StoredEntry): string {
  if (!subject.startsWith('ip:')) throw unfit(subject, 'aws-waf', 'no address');
  if (!isDenied(action)) throw unfit(subject, 'aws-waf', `action ${action}`);
  const address = bare(subject);
  const full = address.includes(':') ? 128 : 32;
  return JSON.stringify(address.includes('/') ? address : `${address}/${full}`);
}

function csvLine(entry: StoredEntry): string {
  refuseUnseen(entry.subject, 'csv');
  return csvRow(CSV_COLUMNS.map((column) => cellOf(entry[column])));
}

function cellOf(value: StoredEntry[keyof StoredEntry]): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : singleLine(String(value));
}

/** Throws for invisible characters. JSON escapes them; in other formats a terminal would interpret them. */
function refuseUnseen(subject: string, format: WrittenFormat): void {
  if (!LINE.test(subject)) throw unfit(subject, format, 'an invisible character');
}

function unfit(subject: string, format: WrittenFormat, what: string): CliError {
  return new CliError(
    EXIT.failed,
    `"${printable(subject)}" has ${what}, which ${format} cannot hold: write csv, json or ndjson`,
  );
}
