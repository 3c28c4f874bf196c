import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { plural } from '../output/plural.ts';
import type { ExtraFields } from './extra-fields.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedItem, type FeedLine, type FeedRecord, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { readItems, rejectEnvelope, unexpectedJson } from './json.ts';
import { readingDocument } from './json-document.ts';
import { subjectsOf } from './subjects.ts';

/** AbuseIPDB's blacklist: `data` is a list of addresses with a confidence score in percent. */
export const ABUSEIPDB: FeedFormat = {
  unit: 'item',
  matches: ({ hasField }) => ['data', 'abuseConfidenceScore', 'errors'].some(hasField),
  hasScores: true,
  read: readingDocument(readAbuseIpdb),
};

function* readAbuseIpdb(document: unknown, source: FeedSource): Generator<FeedLine> {
  const { name, minScore, fields, remarks } = source;
  if (!isRecord(document)) throw unexpectedJson(name, 'a blacklist of AbuseIPDB');
  if (Array.isArray(document.errors))
    throw new CliError(EXIT.failed, `${name} is an error response of AbuseIPDB: ${errorText(document.errors)}`);
  if (!Array.isArray(document.data)) throw unexpectedJson(name, 'a blacklist of AbuseIPDB');
  rejectEnvelope(document, ['data'], source);
  let below = 0;
  yield* readItems(document.data, (item) => {
    const entry = entryOf(item, minScore, fields);
    if (entry === undefined) below++;
    return entry;
  });
  if (below > 0) remarks.push(`${below} of ${plural(document.data.length, 'entry')} skipped: score below ${minScore}`);
}

/** Undefined if the score is too low. */
function entryOf(item: unknown, minScore: number, fields: ExtraFields): FeedItem | undefined {
  const record: FeedRecord = isRecord(item) ? fields.of(item) : {};
  const { ipAddress, abuseConfidenceScore: score } = record;
  if (typeof ipAddress !== 'string') throw new InvalidLineError('has no ipAddress');
  if (typeof score !== 'number') throw new InvalidLineError('has no abuseConfidenceScore');
  if (score < minScore) return undefined;
  const subjects = subjectsOf(ipAddress, 'ip');
  fields.check(record, (name) => READ.includes(name), subjects);
  return { subjects, reason: `abuse confidence score ${score}` };
}

const READ = ['ipAddress', 'abuseConfidenceScore', 'countryCode', 'lastReportedAt'];

function errorText([first]: readonly unknown[]): string {
  return isRecord(first) && typeof first.detail === 'string' ? printable(first.detail, 200) : 'without a text';
}
