import type { StoredEntry } from '../../blocklist/entry.ts';
import { isDenied } from '../../contract/actions.ts';
import { LINE } from '../../contract/check.ts';
import { shown } from '../../contract/shown.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { jsonText } from '../output/escaped.ts';
import { csvRow } from './csv-row.ts';
import type { Format } from './format.ts';
import { withoutComment } from './plain.ts';
import { inOneLine } from './unreadable.ts';

/** The formats that entries can be written in. */
export const WRITTEN_FORMATS = ['plain', 'csv', 'json', 'ndjson', 'haproxy', 'aws-waf'] as const satisfies Format[];

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
 * Text pieces of a file with these entries. CSV, JSON and NDJSON keep every attribute; `haproxy` is a map of subjects to
 * actions; `plain` has only what is blocked, the rest as comments; `aws-waf` only addresses that are blocked.
 */
export function writeFeed(format: Format, entries: AsyncIterable<StoredEntry>): AsyncIterable<string> {
  switch (format) {
    case 'plain':
      return byLine('', entries, plainLine);
    case 'csv':
      return byLine(`${csvRow(CSV_COLUMNS)}\n`, entries, csvLine);
    case 'ndjson':
      return byLine('', entries, (entry) => jsonText(entry));
    case 'haproxy':
      return byLine('', entries, mapLine);
    case 'json':
      return jsonArray('[', ']', entries, (entry) => jsonText(entry));
    case 'aws-waf':
      return jsonArray('{"Addresses":[', ']}', entries, wafAddress);
    default:
      throw usageError(`entries cannot be written as ${format}: write one of ${WRITTEN_FORMATS.join(', ')}`);
  }
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

/** Addresses stand alone, as HAProxy's `map_ip` wants them; what is of another kind keeps it. */
function mapLine({ subject, action }: StoredEntry): string {
  refuseUnseen(subject, 'haproxy');
  if (/\s/.test(subject)) throw unfit(subject, 'haproxy', 'a blank');
  return `${bare(subject)} ${action}`;
}

function bare(subject: string): string {
  return subject.replace(/^ip:/, '');
}

/** AWS WAF wants networks, also for single addresses. */
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
  return typeof value === 'object' ? JSON.stringify(value) : inOneLine(String(value));
}

/** JSON has escapes for what nobody sees; another file would be obeyed by the terminal that shows it. */
function refuseUnseen(subject: string, format: Format): void {
  if (!LINE.test(subject)) throw unfit(subject, format, 'a character that is not seen');
}

function unfit(subject: string, format: Format, what: string): CliError {
  return new CliError(
    EXIT.failed,
    `"${shown(subject)}" has ${what}, which ${format} cannot hold: write csv, json or ndjson`,
  );
}
