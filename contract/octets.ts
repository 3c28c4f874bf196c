/** Bytes as text with one character for each: what traffic brings is compared by byte, whatever it spells. */
export function octetsOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The bytes that text has in UTF-8, in the same form. */
export function octetsOfText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text.toWellFormed()).toString('latin1');
}

/** The text that octets are in UTF-8; undefined if they are none. */
export function textOfOctets(octets: string): string | undefined {
  if (isAscii(octets)) return octets;
  const bytes = Buffer.from(octets, 'latin1');
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

export function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}

/** How each byte is written: as itself where `plain` has it, else percent-encoded. */
export function encodings(plain: RegExp): readonly string[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const octet = String.fromCharCode(byte);
    return plain.test(octet) ? octet : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/**
 * Octets with one spelling for each byte. `spelled` finds a percent-encoded byte, or a single one that is not plain; in
 * linear time.
 */
export function respelled(octets: string, spelled: RegExp, encoding: readonly string[]): string {
  return octets.replace(spelled, (found) => {
    const byte = found.length === 3 ? Number.parseInt(found.slice(1), 16) : found.charCodeAt(0);
    return encoding[byte] as string; // 256 of them
  });
}
