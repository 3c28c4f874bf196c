import fc from 'fast-check';

const MARK = 'Zq7Secret';

/** Values as sessions, tokens and keys have them, each with enough in it to be found wherever it is told. */
export const SECRETS: fc.Arbitrary<string> = fc
  .tuple(
    fc.stringMatching(/^[A-Za-z0-9]{12}$/),
    fc.constantFrom('', 'é✓', '%41%2F', "'", '\\', '<b>&', '=; ', '\u{202e}', '😀', '.eyJhIjoxfQ.', 'x'.repeat(700)),
  )
  .map(([random, odd]) => `${MARK}${random}${odd}${MARK}`);

/** What a reader would find it by: itself, cut, escaped, encoded; as text, JSON, URL, HTML, base64 and hexadecimal. */
export function spellingsOf(secret: string): string[] {
  const marked = secret.slice(0, MARK.length + 12);
  const bytes = Buffer.from(marked);
  return [
    marked,
    marked.toLowerCase(),
    marked.toUpperCase(),
    bytes.toString('base64url').replace(/.$/, ''),
    bytes.toString('hex'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
}
