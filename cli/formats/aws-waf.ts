import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedLine, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { readItems, rejectEnvelope, unexpectedJson } from './json.ts';
import { readingDocument } from './json-document.ts';
import { subjectsOf } from './subjects.ts';

/** An IP set of AWS WAF, alone or as printed by `aws wafv2 get-ip-set`. */
export const AWS_WAF: FeedFormat = {
  unit: 'item',
  matches: ({ hasField }) => hasField('IPSet') || hasField('Addresses'),
  read: readingDocument(readAwsWaf),
};

function* readAwsWaf(document: unknown, source: FeedSource): Generator<FeedLine> {
  const set = isRecord(document) && isRecord(document.IPSet) ? document.IPSet : document;
  if (!isRecord(set) || !Array.isArray(set.Addresses))
    throw unexpectedJson(source.name, 'an IP set of AWS WAF with Addresses');
  for (const around of new Set([document, set]))
    if (isRecord(around)) rejectEnvelope(around, ['IPSet', 'Addresses'], source);
  yield* readItems(set.Addresses, (address) => {
    if (typeof address !== 'string') throw new InvalidLineError('is not text');
    return { subjects: subjectsOf(address, 'ip') };
  });
}
