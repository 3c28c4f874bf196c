import { hasBlankEnds, textOfOctets } from '../byte-string.ts';
import { type Kind, MAX_SUBJECT_BYTES } from './kind.ts';

/** Names under which a value is looked up, beside itself: clients do not determine the cost of a lookup. */
export const MAX_NAMES = 8;
const LONGEST_NAME = 3;

/** Letters, digits and `.` `_` `-` between them; all other signs separate words. */
const WORD = /[a-z0-9\u0080-\uffff](?:[a-z0-9._\u0080-\uffff-]*[a-z0-9\u0080-\uffff])?/g;
/** A word that is not a number, a version or a letter. */
const TELLING = /[a-z\u0080-\uffff]{2}/;
const NAME = /^\*.*\*$/s;

/** Words that nearly every browser sends: no lookup asks for them. */
const USUAL: ReadonlySet<string> = new Set(
  'mozilla applewebkit khtml like gecko chrome safari version mobile compatible windows nt win64 x64 wow64 linux x86_64 android macintosh intel mac os cpu iphone ipad build wv http https www html com for and the of by en en-us'.split(
    ' ',
  ),
);

/**
 * A value that is compared unchanged, such as a user agent, or with a star at either end a name of up to three words, which
 * every value matches that has these words next to each other, in any case: `*examplebot*`, `*example bot*`, and
 * `*example/*` for a word that a version follows.
 */
export const WORDS: Kind = {
  isClientChosen: true,
  maxBytes: MAX_SUBJECT_BYTES,
  tooLong: (octets) => (hasBlankEnds(octets) ? undefined : null),
  canonicalizeEntry: canonicalValue,
  canonicalizeTraffic: (octets) => {
    const text = hasBlankEnds(octets) ? undefined : textOfOctets(octets);
    return text === undefined ? undefined : canonicalValue(text);
  },
  covering: (value) => [...new Set([value, ...namesIn(value)])],
  specificity: (value) => (isName(value) ? value.length : Number.POSITIVE_INFINITY),
  unreachableReason: (value) =>
    isName(value) && !namesIn(value).includes(value)
      ? `a name is looked up if it has at most ${LONGEST_NAME} words, none of them a number, and not only words that nearly every browser sends`
      : undefined,
};

/** A name in lower case, its words separated by blanks; any other value as it is. */
function canonicalValue(text: string): string {
  const words = NAME.test(text) ? wordsOf(text) : [];
  if (words.length === 0) return text;
  return nameOf(words, words.at(-1)?.isProduct ?? false);
}

function isName(value: string): boolean {
  return NAME.test(value) && wordsOf(value).length > 0;
}

interface Word {
  readonly text: string;
  /** Whether a slash follows, as between a product and its version. */
  readonly isProduct: boolean;
}

function wordsOf(value: string): Word[] {
  const text = value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => ({
    text: word,
    isProduct: text[index + word.length] === '/',
  }));
}

/**
 * The names in a value that entries can have, the most specific first. Of too many the first ones: words, then products,
 * then neighbours.
 */
function namesIn(value: string): string[] {
  const words = wordsOf(value);
  const names = new Set<string>();
  const add = (some: readonly Word[], isProduct: boolean) => {
    if (names.size === MAX_NAMES || !some.every(({ text }) => TELLING.test(text))) return;
    if (some.some(({ text }) => !USUAL.has(text))) names.add(nameOf(some, isProduct));
  };
  for (const word of words) add([word], false);
  for (const word of words) if (word.isProduct) add([word], true);
  for (let length = 2; length <= LONGEST_NAME; length++)
    for (let at = 0; at + length <= words.length; at++) add(words.slice(at, at + length), false);
  return [...names].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

function nameOf(words: readonly Word[], isProduct: boolean): string {
  return `*${words.map(({ text }) => text).join(' ')}${isProduct ? '/' : ''}*`;
}
