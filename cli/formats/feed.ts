import { shown } from '../../contract/shown.ts';
import { isKind } from '../../contract/subject.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { readAbuseIpdb } from './abuseipdb.ts';
import { readAwsWaf } from './aws-waf.ts';
import { readCrowdsec } from './crowdsec.ts';
import { readCsv } from './csv.ts';
import { detectFormat } from './detect.ts';
import { readDocument } from './document.ts';
import type { FeedLine } from './feed-line.ts';
import { Fields } from './fields.ts';
import type { Format } from './format.ts';
import { readHaproxy } from './haproxy.ts';
import { withHead } from './head.ts';
import { readJson } from './json.ts';
import { readNdjson } from './ndjson.ts';
import { refuseNoList } from './no-list.ts';
import { readPlain } from './plain.ts';
import type { RecordOptions } from './record.ts';
import { readSpamhaus } from './spamhaus.ts';

/** JSON documents are one value; the others come line by line, however long they are. */
const DOCUMENTS: readonly Format[] = ['json', 'abuseipdb', 'crowdsec', 'aws-waf'];

export interface FeedOptions {
  /** Undefined: found out from the beginning and the name. */
  readonly format?: Format | undefined;
  /** File name or URL, for messages. */
  readonly name: string;
  /** Of the file or URL, where it is not that of the name: `.netset` and others tell the format. */
  readonly ending?: string | undefined;
  /** Only with AbuseIPDB: entries with a lower score are left out. */
  readonly minScore?: number | undefined;
  /** What a bare value is, in the formats that have bare values; default `ip`. */
  readonly kind?: string | undefined;
  /** Names of fields of records that are left alone, whatever they mean. */
  readonly ignore?: readonly string[] | undefined;
  /** The format that the source had before: another is refused, unless one is named. */
  readonly before?: string | undefined;
  readonly nowMs: number;
}

export interface Feed {
  readonly format: Format;
  /** What the numbers count: lines of text, or items of a JSON document. */
  readonly unit: 'line' | 'item';
  readonly lines: AsyncIterable<FeedLine>;
  /** Once all lines are read: attribution, terms, and what was left out; one printable line each. */
  readonly remarks: readonly string[];
}

/** Reads a feed as it comes. Throws a CliError, at once or while its lines are read, for what is no list at all. */
export async function readFeed(bytes: AsyncIterable<Uint8Array>, options: FeedOptions): Promise<Feed> {
  const { head, all, close } = await withHead(bytes);
  try {
    const { kind = 'ip' } = options;
    const format = checkedFormat(head, options, kind);
    const remarks: string[] = [];
    const lines = linesOfFormat(format, all, { ...options, kind }, remarks);
    return { format, unit: DOCUMENTS.includes(format) ? 'item' : 'line', lines, remarks };
  } catch (error) {
    await close(); // nobody else will
    throw error;
  }
}

function checkedFormat(head: Uint8Array, options: FeedOptions, kind: string): Format {
  const { name, ending = name, format: forced, minScore, before } = options;
  if (!isKind(kind)) throw usageError(`"${shown(kind)}" is no kind of subject`);
  refuseNoList(head, name);
  const format = forced ?? detectFormat(head, ending);
  if (minScore !== undefined && format !== 'abuseipdb')
    throw usageError(`${name} is read as ${format}: only abuseipdb has scores`);
  if (forced === undefined && before !== undefined && before !== format && !isEmpty(head))
    throw new CliError(
      EXIT.failed,
      `nothing was written: ${name} is ${format} now, and was ${before} before; if that is meant, add --format ${format}`,
    );
  return format;
}

/** Without items it can be of any format. */
function isEmpty(head: Uint8Array): boolean {
  return /^(|null|\[\s*\])$/.test(new TextDecoder().decode(head).trim());
}

function linesOfFormat(
  format: Format,
  bytes: AsyncIterable<Uint8Array>,
  options: FeedOptions & { readonly kind: string },
  remarks: string[],
): AsyncIterable<FeedLine> {
  const fields = new Fields(options.ignore);
  return withRemarks(linesOf(format, bytes, { ...options, fields }, remarks), fields, remarks);
}

function linesOf(
  format: Format,
  bytes: AsyncIterable<Uint8Array>,
  options: FeedOptions & RecordOptions,
  remarks: string[],
): AsyncIterable<FeedLine> {
  const { name, kind, fields, minScore = 0 } = options;
  const document = (read: (value: unknown) => Iterable<FeedLine>) => linesOfDocument(bytes, name, read);
  switch (format) {
    case 'plain':
      return readPlain(bytes, kind);
    case 'csv':
      return readCsv(bytes, name, options);
    case 'ndjson':
      return readNdjson(bytes, options);
    case 'spamhaus':
      return readSpamhaus(bytes, fields, remarks);
    case 'haproxy':
      return readHaproxy(bytes, kind);
    case 'json':
      return document((value) => readJson(value, name, options, remarks));
    case 'abuseipdb':
      return document((value) => readAbuseIpdb(value, name, minScore, fields, remarks));
    case 'crowdsec':
      return document((value) => readCrowdsec(value, name, options, remarks));
    case 'aws-waf':
      return document((value) => readAwsWaf(value, name, fields));
    default:
      return format satisfies never;
  }
}

/** What fields there were is known once all lines are read. */
async function* withRemarks(
  lines: AsyncIterable<FeedLine>,
  fields: Fields,
  remarks: string[],
): AsyncGenerator<FeedLine> {
  yield* lines;
  remarks.push(...fields.remarks());
}

async function* linesOfDocument(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  read: (document: unknown) => Iterable<FeedLine>,
): AsyncGenerator<FeedLine> {
  yield* read(await readDocument(bytes, name));
}
