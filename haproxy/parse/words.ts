const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
const DROPS_BACKSLASH = ' \t\\"\'#$';

/**
 * The words of a line of HAProxy's configuration (configuration.txt 2.2). Lines cannot be continued: HAProxy refuses a
 * backslash at the end (seen on 2.6). Environment variables are kept as written.
 */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (character === '\\' && quote !== "'") {
      const escaped = escapeAt(line, at + 1);
      word = (word ?? '') + escaped.text;
      at += escaped.length;
    } else if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === '' && character === '#') break;
    else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Whether the word contains an environment variable, whose value is unknown here. */
export function hasEnvironmentVariable(word: string): boolean {
  return /\$[A-Za-z_{]/.test(word);
}

function escapeAt(line: string, at: number): { readonly text: string; readonly length: number } {
  const character = line[at] ?? '';
  const hex = /^x([0-9A-Fa-f]{2})/.exec(line.slice(at, at + 3))?.[1];
  if (hex !== undefined) return { text: String.fromCharCode(Number.parseInt(hex, 16)), length: 3 };
  if (character in ESCAPED) return { text: ESCAPED[character] ?? '', length: 1 };
  if (character !== '' && DROPS_BACKSLASH.includes(character)) return { text: character, length: 1 };
  return { text: '\\', length: 0 };
}
