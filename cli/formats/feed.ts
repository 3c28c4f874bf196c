import { shown } from '../../contract/shown.ts';
import { isKind } from '../../contract/subject.ts';
import { usageError } from '../cli-error.ts';
import { readAbuseIpdb } from './abuseipdb.ts';
import { readAwsWaf } from './aws-waf.ts';
import { readCrowdsec } from './crowdsec.ts';
import { readCsv } from './csv.ts';
import { detectFormat } from './detect.ts';
import { readDocument } from './document.ts';
import type { FeedLine } from './feed-line.ts';
import { readHaproxy } from './haproxy.ts';
import { withHead } from './head.ts';
import { readJson } from './json.ts';
import { readNdjson } from './ndjson.ts';
import { refuseNoList } from './no-list.ts';
import { readPlain } from './plain.ts';
import { readSpamhaus } from './spamhaus.ts';

export type { FeedEntry, FeedLine } from './feed-line.ts';
export { writeFeed } from './write.ts';

/** Every format that can be read. */
export const FORMATS = [
  'plain',
  'csv',
  'json',
  'ndjson',
  'spamhaus',
  'abuseipdb',
  'crowdsec',
  'haproxy',
  'aws-waf',
] as const;
export type Format = (typeof FORMATS)[number];

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

function checkedFormat(
  head: Uint8Array,
  { name, ending = name, format: forced, minScore }: FeedOptions,
  kind: string,
): Format {
  if (!isKind(kind)) throw usageError(`"${shown(kind)}" is no kind of subject`);
  refuseNoList(head, name);
  const format = forced ?? detectFormat(head, ending);
  if (minScore !== undefined && format !== 'abuseipdb')
    throw usageError(`${name} is read as ${format}: only abuseipdb has scores`);
  return format;
}

function linesOfFormat(
  format: Format,
  bytes: AsyncIterable<Uint8Array>,
  options: FeedOptions & { readonly kind: string },
  remarks: string[],
): AsyncIterable<FeedLine> {
  const { name, kind, minScore = 0 } = options;
  const document = (read: (value: unknown) => Iterable<FeedLine>) => linesOfDocument(bytes, name, read);
  switch (format) {
    case 'plain':
      return readPlain(bytes, kind);
    case 'csv':
      return readCsv(bytes, name, options);
    case 'ndjson':
      return readNdjson(bytes, options);
    case 'spamhaus':
      return readSpamhaus(bytes, remarks);
    case 'haproxy':
      return readHaproxy(bytes, kind);
    case 'json':
      return document((value) => readJson(value, name, options, remarks));
    case 'abuseipdb':
      return document((value) => readAbuseIpdb(value, name, minScore, remarks));
    case 'crowdsec':
      return document((value) => readCrowdsec(value, name, options, remarks));
    case 'aws-waf':
      return document((value) => readAwsWaf(value, name));
    default:
      return format satisfies never;
  }
}

async function* linesOfDocument(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  read: (document: unknown) => Iterable<FeedLine>,
): AsyncGenerator<FeedLine> {
  yield* read(await readDocument(bytes, name));
}
