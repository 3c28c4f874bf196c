import type { SubjectVerdict } from './decision.ts';

/** So much for each of `maxEntries`. Most other subjects take less; one with long texts counts as several. */
const USUAL_BYTES = 256;
/** What another subject takes beside its text. */
const RECORD_BYTES = 192;
/** What the decision of an entry takes beside its texts. */
const DECISION_BYTES = 192;
/** What a variable takes beside its name and value: V8 has objects for both, and a shape for names that nobody else has. */
const VAR_BYTES = 160;
/** What a verdict in the pool takes beside its texts. */
const POOLED_BYTES = 320;
/** However few addresses there may be, so much of their verdicts is kept: two hundred of the longest. */
const MIN_POOL_BYTES = 1024 * 1024;
const WIDE = /[^\0-\xff]/;

/** The most that the verdicts of a cache take on the JavaScript heap: other subjects, and what is known of addresses. */
export function maxHeapBytes(maxEntries: number): number {
  return maxOtherBytes(maxEntries) + maxPoolBytes(maxEntries);
}

export function maxOtherBytes(maxEntries: number): number {
  return maxEntries * USUAL_BYTES;
}

export function maxPoolBytes(maxEntries: number): number {
  return Math.max(MIN_POOL_BYTES, maxEntries * USUAL_BYTES);
}

/** What another subject takes with what it contributes. */
export function bytesOfOther(subject: string, verdict: SubjectVerdict): number {
  return Math.max(USUAL_BYTES, RECORD_BYTES + textBytes(subject) + ownBytesOf(verdict));
}

/** What a verdict takes in the pool, with this key, which has its texts once more. */
export function bytesOfPooled(key: string, verdict: SubjectVerdict): number {
  return POOLED_BYTES + 2 * textBytes(key) + VAR_BYTES * varsIn(verdict);
}

/** What a verdict takes that no other subject shares. */
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

/** V8 has two bytes for each character of a text that is not Latin-1 throughout. */
function textBytes(text: string): number {
  return WIDE.test(text) ? text.length * 2 : text.length;
}
