import { plural } from '../output/plural.ts';
import { isTrue } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedItem, type FeedLine, type FeedRecord, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { readItems, rejectEnvelope, unexpectedJson } from './json.ts';
import { readingDocument } from './json-document.ts';
import { itemOfDecision } from './record.ts';
import type { RecordOptions } from './record-subject.ts';

/**
 * `cscli decisions list -o json`: alerts, each with its decisions. A list of decisions, as from the local API or for
 * `cscli decisions import`, is read as well. Items are numbered by decision.
 */
export const CROWDSEC: FeedFormat = {
  unit: 'item',
  matches: ({ shape, text, hasField }) =>
    (shape === 'array' && /"decisions"\s*:|"scenario"\s*:/.test(text)) || (hasField('new') && hasField('deleted')),
  defaultFor: ['null'], // what cscli prints without decisions
  read: readingDocument(readCrowdsec),
};

function* readCrowdsec(document: unknown, source: FeedSource): Generator<FeedLine> {
  const items = isRecord(document) ? newDecisions(document, source) : document;
  if (items !== null && !Array.isArray(items)) throw unexpectedJson(source.name, 'a list of alerts with decisions');
  let simulated = 0;
  yield* readItems((items ?? []).flatMap(decisionsOf), (decision) => {
    if (!isSimulated(decision)) return entryOf(decision, source);
    simulated++;
    return undefined;
  });
  if (simulated > 0) source.remarks.push(`${plural(simulated, 'simulated decision')} skipped`);
}

/** The decisions of `/v1/decisions/stream`, whose deleted ones are not in force. */
function newDecisions(document: FeedRecord, source: FeedSource): unknown {
  rejectEnvelope(document, ['new', 'deleted'], source);
  const { deleted } = document;
  if (Array.isArray(deleted) && deleted.length > 0)
    source.remarks.push(`${plural(deleted.length, 'deleted decision')} skipped`);
  return document.new ?? null;
}

/** The decisions of an item. Null means none; the decisions of a simulated alert count as simulated. */
function decisionsOf(item: unknown): readonly unknown[] {
  if (!isRecord(item) || !('decisions' in item)) return [item];
  if (item.decisions === null) return [];
  if (!Array.isArray(item.decisions)) return [item];
  const { simulated } = item;
  if (!isTrue(simulated)) return item.decisions;
  return item.decisions.map((decision) => (isRecord(decision) ? { ...decision, simulated } : decision));
}

function isSimulated(decision: unknown): boolean {
  return isRecord(decision) && isTrue(decision.simulated);
}

function entryOf(decision: unknown, options: RecordOptions): FeedItem {
  if (!isRecord(decision)) throw new InvalidLineError('is not a decision');
  return itemOfDecision(decision, options);
}
