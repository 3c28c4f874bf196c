import type { SubjectVerdict } from './decision.ts';

/** The bytes an entry of `maxEntries`. Most other subjects take less; one with long texts counts as several. */
const USUAL_BYTES = 256;
/** A subject that is not an address, without its text. */
const RECORD_BYTES = 192;
/** The decision of an entry, without its texts. */
const DECISION_BYTES = 192;
/** A variable, without its name and value: V8 has objects for both, and a shape for each set of names. */
const VAR_BYTES = 160;
/** A verdict in the pool, without its texts. */
const POOLED_BYTES = 320;
/** The smallest bound for the pool: two hundred of the longest verdicts. */
const MIN_POOL_BYTES = 1024 * 1024;
const WIDE = /[^\0-\xff]/;

/** The most that a cache takes on the JavaScript heap: other subjects, and the verdicts of addresses. */
export function maxHeapBytes(maxEntries: number): number {
  return maxOtherBytes(maxEntries) + maxPoolBytes(maxEntries);
}

export function maxOtherBytes(maxEntries: number): number {
  return maxEntries * USUAL_BYTES;
}

export function maxPoolBytes(maxEntries: number): number {
  return Math.max(MIN_POOL_BYTES, maxEntries * USUAL_BYTES);
}

/** A subject that is not an address, with its verdict. */
export function bytesOfOther(subject: string, verdict: SubjectVerdict): number {
  return Math.max(USUAL_BYTES, RECORD_BYTES + textBytes(subject) + ownBytesOf(verdict));
}

/** A verdict in the pool with this key, which has its texts once more. */
export function bytesOfPooled(key: string, verdict: SubjectVerdict): number {
  return POOLED_BYTES + 2 * textBytes(key) + VAR_BYTES * varsIn(verdict);
}

/** The part of a verdict that is not shared with other subjects. */
function ownBytesOf(verdict: SubjectVerdict): number {
  if (typeof verdict === 'string' || verdict.list === undefined) return 0;
  const { reason = '', entry = '', list, vars = {}, unlessAllowed } = verdict;
  const texts = [reason, entry, list, ...Object.entries(vars).flat()];
  const fixed = DECISION_BYTES + VAR_BYTES * varsIn(verdict);
  const beside = unlessAllowed === undefined ? 0 : ownBytesOf(unlessAllowed);
  return texts.reduce((sum, text) => sum + textBytes(text), fixed + beside);
}

function varsIn(verdict: SubjectVerdict): number {
  return typeof verdict === 'string' ? 0 : Object.keys(verdict.vars ?? {}).length;
}

/** V8 takes two bytes a character for text that is not all Latin-1. */
export function textBytes(text: string): number {
  return WIDE.test(text) ? text.length * 2 : text.length;
}
