import type { FeedLine } from './feed-line.ts';
import { isRecord } from './feed-record.ts';
import type { Fields } from './fields.ts';
import { noList, readItems, refuseEnvelope } from './json.ts';
import { subjectOf, UnreadableError } from './unreadable.ts';

/** An IP set of AWS WAF, by itself or as `aws wafv2 get-ip-set` answers it. */
export function* readAwsWaf(document: unknown, name: string, fields: Fields): Generator<FeedLine> {
  const set = isRecord(document) && isRecord(document.IPSet) ? document.IPSet : document;
  if (!isRecord(set) || !Array.isArray(set.Addresses)) throw noList(name, 'an IP set of AWS WAF with Addresses');
  for (const around of new Set([document, set]))
    if (isRecord(around)) refuseEnvelope(around, ['IPSet', 'Addresses'], name, fields);
  yield* readItems(set.Addresses, (address) => {
    if (typeof address !== 'string') throw new UnreadableError('is no text');
    return { subject: subjectOf(address, 'ip') };
  });
}
