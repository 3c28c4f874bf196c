/** Text that anybody may have written, as it can stand in a log line and on a terminal: escaped, and cut. */
export function shown(text: string, maxLength = 80): string {
  // What is longer is cut below: no character becomes less than one.
  const escaped = JSON.stringify(text.slice(0, maxLength + 1))
    .slice(1, -1)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  if (escaped.length <= maxLength) return escaped;
  return `${escaped.slice(0, maxLength - 3).replace(/\p{Cs}$/u, '')}...`; // no half of a character
}
