import { MAX_REASON, REASON } from '../contract/check.ts';
import { INVISIBLE } from '../contract/printable.ts';

/** Any text as a reason: one line without invisible characters, cut to the longest one. A reason stays as it is. */
export function asReason(text: string): string {
  if (REASON.test(text)) return text;
  const line = text
    .slice(0, 4 * MAX_REASON)
    .replace(INVISIBLE, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return [...line].slice(0, MAX_REASON).join('').trimEnd();
}
