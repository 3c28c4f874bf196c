import { printable } from '../../contract/printable.ts';
import { isKind } from '../../contract/subject.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { ExtraFields } from './extra-fields.ts';
import { beginningOf, type FeedFormat, type FeedSource } from './feed-format.ts';
import type { FeedLine } from './feed-line.ts';
import { detectFormat, FORMAT_NAMES, type FormatName, formatOf } from './formats.ts';
import type { JsonPath } from './json-path.ts';
import { peek } from './peek.ts';
import { rejectNonLists } from './reject-non-lists.ts';

export interface FeedOptions {
  /** By default detected from the beginning and the name. */
  readonly format?: FormatName | undefined;
  /** File name or URL, for messages. */
  readonly name: string;
  /** The extension of the file or URL, if `name` does not have it; it indicates the format. */
  readonly ending?: string | undefined;
  /** Only with AbuseIPDB: entries with a lower score are left out. */
  readonly minScore?: number | undefined;
  /** The kind of bare values; by default `ip`. */
  readonly kind?: string | undefined;
  /** The column with the subjects of a table, by name or number. */
  readonly column?: string | undefined;
  /** Where in JSON the subjects are. */
  readonly paths?: readonly JsonPath[] | undefined;
  /** The field names of `--ignore`. */
  readonly ignore?: readonly string[] | undefined;
  /** The format that the source had before; a different one is refused unless `format` is given. */
  readonly before?: string | undefined;
  readonly nowMs: number;
}

export interface Feed {
  readonly format: FormatName;
  /** What the line numbers count: lines of text, or items of a JSON document. */
  readonly unit: 'line' | 'item';
  readonly lines: AsyncIterable<FeedLine>;
  /** Attribution, terms and skipped items, one printable line each; complete once all lines are read. */
  readonly remarks: readonly string[];
}

/** Reads a feed as a stream. Throws a CliError, now or while its lines are read, if the source is not a list. */
export async function readFeed(bytes: AsyncIterable<Uint8Array>, options: FeedOptions): Promise<Feed> {
  const { head, all, close } = await peek(bytes);
  try {
    const { name, kind = 'ip', minScore = 0, ignore, nowMs, column, paths } = options;
    const format = checkedFormat(head, options, kind);
    const source = {
      bytes: all,
      name,
      kind,
      minScore,
      nowMs,
      column,
      paths,
      fields: new ExtraFields(ignore),
      remarks: [] as string[],
    };
    const { unit } = formatOf(format);
    return { format, unit, lines: linesOf(formatOf(format), source), remarks: source.remarks };
  } catch (error) {
    await close(); // no reader will close it
    throw error;
  }
}

function checkedFormat(head: Uint8Array, options: FeedOptions, kind: string): FormatName {
  const { name, ending = name, format: forced, minScore, before } = options;
  if (!isKind(kind)) throw usageError(`"${printable(kind)}" is not a kind of subject`);
  rejectNonLists(head, name, kind, forced !== undefined);
  const format = forced ?? chosenFormat(head, options) ?? detectFormat(head, ending);
  refuseUnread(format, options);
  if (minScore !== undefined && !formatOf(format).hasScores) {
    const scored = FORMAT_NAMES.filter((name) => formatOf(name).hasScores);
    throw usageError(`${name} is read as ${format}: only ${scored.join(', ')} has scores`);
  }
  if (forced === undefined && before !== undefined && before !== format && !isEmpty(head))
    throw new CliError(
      EXIT.failed,
      `nothing was written: the format of ${name} is ${format} now and was ${before} before; if that is intended, add --format ${format}`,
    );
  return format;
}

/** The format that an option implies: `--column` is about tables, `--field` about JSON. */
function chosenFormat(head: Uint8Array, { column, paths }: FeedOptions): FormatName | undefined {
  if (column !== undefined) return 'csv';
  if (paths === undefined) return undefined;
  return beginningOf(head).shape === 'record' ? 'ndjson' : 'json';
}

function refuseUnread(format: FormatName, { name, column, paths }: FeedOptions): void {
  if (column !== undefined && format !== 'csv')
    throw usageError(`${name} is read as ${format}: only csv has columns for --column`);
  if (paths !== undefined && format !== 'json' && format !== 'ndjson')
    throw usageError(`${name} is read as ${format}: only json and ndjson have fields for --field`);
}

/** Whether the source is an empty list, which can be in any format. */
function isEmpty(head: Uint8Array): boolean {
  return /^(|null|\[\s*\])$/.test(new TextDecoder().decode(head).trim());
}

/** Adds the remarks about fields, which are complete once all lines are read. */
async function* linesOf(format: FeedFormat, source: FeedSource): AsyncGenerator<FeedLine> {
  yield* format.read(source);
  source.remarks.push(...source.fields.remarks());
}
