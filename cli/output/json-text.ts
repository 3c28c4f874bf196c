import { INVISIBLE } from '../../contract/printable.ts';

/** JSON of anything, with invisible characters as JSON's own escapes: whoever reads it has the value as it was. */
export function jsonText(value: unknown, indent?: number): string {
  // outside of texts JSON has no such character but the line feed of an indent, and inside of them it escapes that
  return JSON.stringify(value, null, indent).replace(INVISIBLE, (found) => (found === '\n' ? found : unitsOf(found)));
}

function unitsOf(character: string): string {
  const units = character.split(''); // those of UTF-16, which JSON escapes one by one
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
