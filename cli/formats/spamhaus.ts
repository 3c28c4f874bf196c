import { asReason } from '../../blocklist/reason.ts';
import type { ExtraFields } from './extra-fields.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedEntry, type FeedItem, type FeedLine, type FeedRecord, isRecord } from './feed-line.ts';
import { feedLines, InvalidLineError, problem } from './invalid-line.ts';
import { linesOf, tooLong } from './lines.ts';
import { parseJsonLine } from './ndjson.ts';
import { subjectsOf } from './subjects.ts';

/**
 * DROP v4, v6 and ASN: one object per line. The last line has metadata: the number of records, which detects a truncated
 * list, and the terms, which go to `remarks`.
 */
export const SPAMHAUS: FeedFormat = {
  unit: 'line',
  matches: ({ record }) => record.type === 'metadata' || 'sblid' in record || 'asname' in record,
  read: readSpamhaus,
};

async function* readSpamhaus({ bytes, fields, remarks }: FeedSource): AsyncGenerator<FeedLine> {
  let last = 0;
  let records = 0;
  let metadata: FeedRecord | undefined;
  for await (const lines of linesOf(bytes)) {
    for (const { line, text, isCut } of lines) {
      last = line;
      if (isCut) yield tooLong(line, text);
      if (isCut || text.trim() === '') continue;
      yield* feedLines(
        line,
        () => text,
        () => {
          const record = recordOf(text);
          if (record.type === 'metadata') {
            fields.checkAround(record, METADATA);
            metadata = record;
            return [];
          }
          records++;
          return [entryOf(fields.of(record), fields)];
        },
      );
    }
  }
  yield* countProblem(metadata, records, last);
  if (metadata !== undefined) remarks.push(...attribution(metadata));
}

function recordOf(text: string): FeedRecord {
  const value = parseJsonLine(text);
  if (isRecord(value)) return value;
  throw new InvalidLineError('is not an object');
}

function entryOf(record: FeedRecord, fields: ExtraFields): FeedItem {
  const { cidr, sblid, asn, asname } = record;
  const entry =
    typeof cidr === 'string'
      ? { subjects: subjectsOf(cidr, 'ip'), ...reasonOf(sblid) }
      : typeof asn === 'number' && { subjects: subjectsOf(`asn:${asn}`, 'asn'), ...reasonOf(asname) };
  if (entry === false) throw new InvalidLineError('has neither cidr nor asn');
  fields.check(record, (name) => READ.includes(name), entry.subjects);
  return entry;
}

const METADATA = ['type', 'timestamp', 'size', 'records', 'copyright', 'terms'];

const READ = ['cidr', 'sblid', 'asn', 'asname', 'rir', 'cc', 'domain'];

function reasonOf(value: unknown): Pick<FeedEntry, 'reason'> {
  return typeof value === 'string' && value !== '' ? { reason: asReason(value) } : {};
}

function countProblem(metadata: FeedRecord | undefined, records: number, line: number): FeedLine[] {
  if (metadata === undefined)
    return [problem(line, '', 'the line of type metadata that ends the list is missing: the list is incomplete')];
  if (metadata.records === records) return [];
  const promised = typeof metadata.records === 'number' ? metadata.records : 'an unknown number of';
  return [
    problem(line, '', `the list is incomplete: it has ${records} of the ${promised} records that its last line states`),
  ];
}

function attribution({ copyright, terms, timestamp }: FeedRecord): string[] {
  const made = typeof timestamp === 'number' ? new Date(timestamp * 1000) : undefined;
  const isDate = made !== undefined && !Number.isNaN(made.getTime());
  return [
    ...(typeof copyright === 'string' ? [asReason(copyright)] : []),
    ...(typeof terms === 'string' ? [`terms: ${asReason(terms)}`] : []),
    ...(isDate ? [`made ${made.toISOString().replace('.000Z', 'Z')}`] : []),
  ];
}
