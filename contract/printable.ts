/**
 * Characters that a terminal interprets or does not show: controls (C0, DEL, C1), marks of direction, zero-width
 * characters, separators of lines and paragraphs, lone surrogates.
 */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Untrusted text as one line of any length that can be printed: invisible characters are written as `\u{9b}`. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** Untrusted text as it can stand inside quotes in a log line, a message or a terminal: escaped, and cut. */
export function printable(text: string, maxLength = 80): string {
  // Escaping never shortens, so the rest would be cut below anyway.
  const escaped = escapeInvisible(JSON.stringify(text.slice(0, maxLength + 1)).slice(1, -1));
  if (escaped.length <= maxLength) return escaped;
  return `${escaped.slice(0, maxLength - 3).replace(/\p{Cs}$/u, '')}...`; // not half a surrogate pair
}
