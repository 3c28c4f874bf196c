import { plural } from '../output/plural.ts';
import { isTrue } from './extra-field-meaning.ts';
import type { FeedFormat, FeedSource } from './feed-format.ts';
import { type FeedEntry, type FeedLine, isRecord } from './feed-line.ts';
import { InvalidLineError } from './invalid-line.ts';
import { readItems, unexpectedJson } from './json.ts';
import { readingDocument } from './json-document.ts';
import { entryOfDecision, type RecordOptions } from './record.ts';

/**
 * `cscli decisions list -o json`: alerts, each with its decisions. A list of decisions, as from the local API or for
 * `cscli decisions import`, is read as well. Items are numbered by decision.
 */
export const CROWDSEC: FeedFormat = {
  unit: 'item',
  matches: ({ shape, text }) => shape === 'array' && /"decisions"\s*:|"scenario"\s*:/.test(text),
  defaultFor: ['null'], // what cscli prints without decisions
  read: readingDocument(readCrowdsec),
};

function* readCrowdsec(document: unknown, source: FeedSource): Generator<FeedLine> {
  if (document !== null && !Array.isArray(document))
    throw unexpectedJson(source.name, 'a list of alerts with decisions');
  let simulated = 0;
  yield* readItems((document ?? []).flatMap(decisionsOf), (decision) => {
    if (!isSimulated(decision)) return entryOf(decision, source);
    simulated++;
    return undefined;
  });
  if (simulated > 0) source.remarks.push(`${plural(simulated, 'simulated decision')} skipped`);
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

function entryOf(decision: unknown, options: RecordOptions): FeedEntry {
  if (!isRecord(decision)) throw new InvalidLineError('is not a decision');
  return entryOfDecision(decision, options);
}
