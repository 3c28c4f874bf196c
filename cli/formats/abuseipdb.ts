import { shown } from '../../contract/shown.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { type FeedRecord, isRecord } from './feed-record.ts';
import type { Fields } from './fields.ts';
import { noList, readItems, refuseEnvelope } from './json.ts';
import { subjectOf, UnreadableError } from './unreadable.ts';

/** AbuseIPDB's blacklist: `data` with an address and how sure they are, in percent. */
export function* readAbuseIpdb(
  document: unknown,
  name: string,
  minScore: number,
  fields: Fields,
  remarks: string[],
): Generator<FeedLine> {
  if (!isRecord(document)) throw noList(name, 'a blacklist of AbuseIPDB');
  if (Array.isArray(document.errors))
    throw new CliError(EXIT.failed, `${name} is an error of AbuseIPDB: ${errorText(document.errors)}`);
  if (!Array.isArray(document.data)) throw noList(name, 'a blacklist of AbuseIPDB');
  refuseEnvelope(document, ['data'], name, fields);
  let below = 0;
  yield* readItems(document.data, (item) => {
    const entry = entryOf(item, minScore, fields);
    if (entry === undefined) below++;
    return entry;
  });
  if (below > 0)
    remarks.push(`${below} of ${document.data.length} addresses left out: their score is below ${minScore}`);
}

/** Undefined if the score is too low. */
function entryOf(item: unknown, minScore: number, fields: Fields): FeedEntry | undefined {
  const record: FeedRecord = isRecord(item) ? fields.of(item) : {};
  const { ipAddress, abuseConfidenceScore: score } = record;
  if (typeof ipAddress !== 'string') throw new UnreadableError('has no ipAddress');
  if (typeof score !== 'number') throw new UnreadableError('has no abuseConfidenceScore');
  if (score < minScore) return undefined;
  const subject = subjectOf(ipAddress, 'ip');
  fields.check(record, (name) => READ.includes(name), subject);
  return { subject, reason: `abuse confidence score ${score}` };
}

const READ = ['ipAddress', 'abuseConfidenceScore', 'countryCode', 'lastReportedAt'];

function errorText([first]: readonly unknown[]): string {
  return isRecord(first) && typeof first.detail === 'string' ? shown(first.detail, 200) : 'without a text';
}
