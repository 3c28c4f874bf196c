import { INVISIBLE } from '../../contract/printable.ts';

/** JSON of any value, with invisible characters as JSON escapes, so that parsing restores the value. */
export function jsonText(value: unknown, indent?: number): string {
  // JSON has such characters only in strings, except the line feeds of an indent
  return JSON.stringify(value, null, indent).replace(INVISIBLE, (found) => (found === '\n' ? found : unitsOf(found)));
}

function unitsOf(character: string): string {
  const units = character.split(''); // UTF-16 code units, which JSON escapes one by one
  return units.map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
