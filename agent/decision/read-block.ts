import { Entry, entryProblem } from '../../contract/check.ts';
import type { CacheBlock } from './cache-block.ts';
import { type Decision, decisionOf } from './decision.ts';

const MAX_SUBJECT = 1024;

/** The part of a block that JSON brought, with nothing in it that no backend could have said; else undefined. */
export function readBlock(json: unknown): Pick<CacheBlock, 'verdicts' | 'others'> | undefined {
  if (!isMap(json) || !Array.isArray(json.contributions) || !Array.isArray(json.others)) return undefined;
  const verdicts = json.contributions.map(readDecision);
  if (!verdicts.every((decision) => decision !== undefined) || !json.others.every(isRow)) return undefined;
  return { verdicts, others: json.others };
}

/** Anew from what an entry can have: nothing else of it is taken over. */
function readDecision(value: unknown): Decision | undefined {
  if (!isMap(value)) return undefined;
  const { source, list, ofAddress, entry } = value;
  if (source !== 'cache' && source !== 'stale') return undefined;
  if (list === undefined) return value.action === 'allow' ? decisionOf(null, source) : undefined;
  const read = Entry.safeParse(asEntry(value));
  if (!read.success || entryProblem(read.data) !== undefined) return undefined;
  const { entry: _told, ...decision } = decisionOf(read.data, source);
  // what is in the file is told already
  return ofAddress === true ? { ...decision, ofAddress } : { ...decision, entry: String(entry) };
}

function asEntry({ entry, ofAddress, unlessAllowed, ...said }: Readonly<Record<string, unknown>>): object {
  return {
    ...said,
    subject: ofAddress === true ? 'ip' : entry,
    ...(unlessAllowed !== undefined && { unlessAllowed: isMap(unlessAllowed) ? asEntry(unlessAllowed) : null }),
  };
}

/** Addresses are no texts here, and times are whole ticks. */
function isRow(row: unknown): boolean {
  if (!Array.isArray(row) || row.length !== 4) return false;
  const [subject, ...numbers] = row;
  return typeof subject === 'string' && subject.length <= MAX_SUBJECT && numbers.every(Number.isSafeInteger);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
