import { shown } from '../../contract/shown.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { FeedEntry, FeedLine } from './feed-line.ts';
import { noList, readItems } from './json.ts';
import { type FeedRecord, isRecord } from './record.ts';
import { subjectOf, UnreadableError } from './unreadable.ts';

/** AbuseIPDB's blacklist: `data` with an address and how sure they are, in percent. */
export function* readAbuseIpdb(
  document: unknown,
  name: string,
  minScore: number,
  remarks: string[],
): Generator<FeedLine> {
  if (!isRecord(document)) throw noList(name, 'a blacklist of AbuseIPDB');
  if (Array.isArray(document.errors))
    throw new CliError(EXIT.failed, `${name} is an error of AbuseIPDB: ${errorText(document.errors)}`);
  if (!Array.isArray(document.data)) throw noList(name, 'a blacklist of AbuseIPDB');
  let below = 0;
  yield* readItems(document.data, (item) => {
    const entry = entryOf(item, minScore);
    if (entry === undefined) below++;
    return entry;
  });
  if (below > 0)
    remarks.push(`${below} of ${document.data.length} addresses left out: their score is below ${minScore}`);
}

/** Undefined if the score is too low. */
function entryOf(item: unknown, minScore: number): FeedEntry | undefined {
  const { ipAddress, abuseConfidenceScore: score }: FeedRecord = isRecord(item) ? item : {};
  if (typeof ipAddress !== 'string') throw new UnreadableError('has no ipAddress');
  if (typeof score !== 'number') throw new UnreadableError('has no abuseConfidenceScore');
  if (score < minScore) return undefined;
  return { subject: subjectOf(ipAddress, 'ip'), reason: `abuse confidence score ${score}` };
}

function errorText([first]: readonly unknown[]): string {
  return isRecord(first) && typeof first.detail === 'string' ? shown(first.detail, 200) : 'without a text';
}
