/**
 * What a terminal obeys or does not show: controls (C0, DEL, C1), marks of direction, what has no width, ends of lines and
 * paragraphs, halves of characters. In a pattern with `u`.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Text of anybody as one line that can be printed: what is not seen is written as `\u{9b}`. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** JSON of anything, with the same characters as JSON's own escapes: whoever reads it has the value as it was. */
export function jsonText(value: unknown, indent?: number): string {
  // outside of texts JSON has no such character but the line feed of an indent, and inside of them it escapes that
  return JSON.stringify(value, null, indent).replace(UNSEEN, (found) => (found === '\n' ? found : unitsOf(found)));
}

function unitsOf(character: string): string {
  const units = character.split(''); // those of UTF-16, which JSON escapes one by one
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
