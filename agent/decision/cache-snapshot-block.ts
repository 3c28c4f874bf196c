import { Entry, entryProblem } from '../../contract/check.ts';
import { type Decision, decisionOf } from './decision.ts';

/** Part of a cache snapshot. Times are ticks after the snapshot; failed lookups are left out. */
export interface CacheBlock {
  /** New verdicts. The rows of this and of later blocks refer to a verdict by its index among those of all blocks. */
  readonly verdicts: readonly Decision[];
  /** Rows of an address, `freshUntil`, `keptUntil`, and the index of its verdict. */
  readonly ipv4: Int32Array;
  readonly ipv6: Int32Array;
  readonly others: readonly (readonly [subject: string, freshUntil: number, keptUntil: number, verdict: number])[];
}

export const IPV4_ROW = 4;
export const IPV6_ROW = 7;
/** Subjects of one block: few enough to build it between two reads of a socket. */
export const BLOCK_ROWS = 4096;
/** Other subjects of one block, which are texts of any length. */
export const BLOCK_OTHERS = 256;
const MAX_SUBJECT = 1024;

/** The indexes of verdicts, and the verdicts that no block had before. */
export class VerdictIndex {
  readonly #indexes = new Map<Decision, number>();
  #added: Decision[] = [];

  indexOf(verdict: Decision): number {
    const known = this.#indexes.get(verdict);
    if (known !== undefined) return known;
    this.#added.push(verdict);
    this.#indexes.set(verdict, this.#indexes.size);
    return this.#indexes.size - 1;
  }

  takeAdded(): Decision[] {
    const added = this.#added;
    this.#added = [];
    return added;
  }
}

/** Validates the JSON part of a block; undefined if it has a verdict that no backend could have given. */
export function readBlock(json: unknown): Pick<CacheBlock, 'verdicts' | 'others'> | undefined {
  if (!isMap(json) || !Array.isArray(json.contributions) || !Array.isArray(json.others)) return undefined;
  const verdicts = json.contributions.map(readDecision);
  if (!verdicts.every((decision) => decision !== undefined) || !json.others.every(isRow)) return undefined;
  return { verdicts, others: json.others };
}

/** Builds a new decision, so that it has only properties that an entry can have. */
function readDecision(value: unknown): Decision | undefined {
  if (!isMap(value)) return undefined;
  const { source, list, ofAddress, entry } = value;
  if (source !== 'cache' && source !== 'stale') return undefined;
  if (list === undefined) return value.action === 'allow' ? decisionOf(null, source) : undefined;
  const read = Entry.safeParse(asEntry(value));
  if (!read.success || entryProblem(read.data) !== undefined) return undefined;
  const { entry: _redacted, ...decision } = decisionOf(read.data, source);
  // The subject in the file is redacted already.
  return ofAddress === true ? { ...decision, ofAddress } : { ...decision, entry: String(entry) };
}

function asEntry({ entry, ofAddress, unlessAllowed, ...others }: Readonly<Record<string, unknown>>): object {
  return {
    ...others,
    subject: ofAddress === true ? 'ip' : entry,
    ...(unlessAllowed !== undefined && { unlessAllowed: isMap(unlessAllowed) ? asEntry(unlessAllowed) : null }),
  };
}

/** A subject other than an address, with times in whole ticks. */
function isRow(row: unknown): boolean {
  if (!Array.isArray(row) || row.length !== 4) return false;
  const [subject, ...numbers] = row;
  return typeof subject === 'string' && subject.length <= MAX_SUBJECT && numbers.every(Number.isSafeInteger);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
