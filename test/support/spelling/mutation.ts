import type { Random } from '../spop/random.ts';

/** A change of a text that leaves it something like it. */
export type Mutation = (text: string, random: Random) => string;

export function mutated(text: string, mutations: readonly Mutation[], most: number, random: Random): string {
  let spelled = text;
  for (let count = random.below(most + 1); count > 0; count--) spelled = random.pick(mutations)(spelled, random);
  return spelled;
}

/** Puts one of these somewhere. */
export function inserts(parts: readonly string[]): Mutation {
  return (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(parts) + text.slice(at);
  };
}

export function prefixes(parts: readonly string[]): Mutation {
  return (text, random) => random.pick(parts) + text;
}

export function suffixes(parts: readonly string[]): Mutation {
  return (text, random) => text + random.pick(parts);
}

/** Writes one of these for one of the places where `what` stands. */
export function replaces(what: string, parts: readonly string[]): Mutation {
  return (text, random) => {
    const pieces = text.split(what);
    if (pieces.length < 2) return text;
    const at = 1 + random.below(pieces.length - 1);
    return pieces.slice(0, at).join(what) + random.pick(parts) + pieces.slice(at).join(what);
  };
}

/** Writes a byte as its code, once or twice, in either case. */
export const encodesByte: Mutation = (text, random) => {
  if (text === '') return text;
  const at = random.below(text.length);
  const code = text.charCodeAt(at).toString(16).padStart(2, '0');
  const prefix = random.oneIn(5) ? '%25' : '%';
  return text.slice(0, at) + prefix + (random.oneIn(2) ? code.toUpperCase() : code) + text.slice(at + 1);
};

export const encodesAll: Mutation = (text, random) =>
  text.replace(/[a-z]/gi, (letter) => (random.oneIn(2) ? letter : `%${letter.charCodeAt(0).toString(16)}`));

export const flipsCase: Mutation = (text, random) =>
  text.replace(/[a-z]/gi, (letter) =>
    random.oneIn(2) ? letter : letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );

/** Full-width letters, which IDNA and some file systems take for the plain ones, as UTF-8. */
export const widens: Mutation = (text, random) => {
  const at = random.below(text.length + 1);
  const letter = text.charCodeAt(at);
  if (!(letter > 0x20 && letter < 0x7f)) return text;
  const wide = Buffer.from(String.fromCodePoint(letter + 0xfee0)).toString('latin1');
  return text.slice(0, at) + wide + text.slice(at + 1);
};

/** Bytes that end something somewhere, or that some leave out and some do not. */
export const ODD_BYTES = [
  ...['\0', '\x01', '\t', '\n', '\r', '\x0b', '\x0c', ' ', '\x7f', '\x80', '\x85', '\xa0', '\xad', '\xff'],
  ...['"', "'", '`', '<', '>', '{', '}', '|', '^', '\\', '#', '?', '%', '@', ':', ';', ',', '&', '=', '+', '*', '~'],
  ...['!', '(', ')', '[', ']', '$', '_', '-', '.', '..', '/', '//'],
  ...[
    '\xc2\xad',
    '\xe2\x80\x8b',
    '\xe2\x80\x8d',
    '\xe3\x80\x82',
    '\xef\xbc\x8f',
    '\xef\xbc\x8e',
    '\xc0\xaf',
    '\xc0\xae',
  ],
];

/** So much that what is behind it is beyond some buffer. */
export function filler(random: Random): string {
  return 'f'.repeat(random.pick([10, 300, 1100, 2100, 4200, 8500]));
}
