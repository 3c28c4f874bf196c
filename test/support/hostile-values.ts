import fc from 'fast-check';

/** What could end a line, a word or a string wherever it is written, or change how what follows is read. */
const BREAKERS = [
  ...['\r', '\n', '\r\n', '\0', '\t', '\x1b[31m', '\x7f', '\u0085', '\u2028', '\u2029', '\u202e', '\u200b', '\ud800'],
  ...[
    '"',
    "'",
    '\\',
    '`',
    '#',
    '%',
    '%%',
    '%[src]',
    '%0d%0a',
    '{ ',
    ' }',
    '$(id)',
    '$\u007bHOME}',
    ' if TRUE',
    ',',
    ';',
    '=',
  ],
];

const bit = fc.oneof(
  fc.constantFrom(...BREAKERS),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('x', '/'),
);

/** Text that somebody typed to do harm, a few of them very long. */
export const hostileText = fc.oneof(
  { weight: 20, arbitrary: fc.array(bit, { maxLength: 6 }).map((bits) => bits.join('')) },
  { weight: 1, arbitrary: bit.map((text) => text.padEnd(64 * 1024, 'x')) },
);

const header = fc.constantFrom('X-Plan', 'host', 'content-length', 'x'.repeat(32), 'x'.repeat(33), 'x y', '');
const headerVar = fc
  .tuple(fc.constantFrom('req', 'res', 'txn'), fc.constantFrom('set', 'add', 'del', 'replace'), header)
  .map((parts) => parts.join('.'));
const otherVar = fc.constantFrom('action', 'error', 'Location', '__proto__', 'constructor');

const vars = fc.dictionary(
  mostly(fc.constantFrom('req.set.x-plan', 'res.add.x', 'body'), fc.oneof(headerVar, otherVar, hostileText)),
  mostly(fc.constantFrom('gold', '', '/new', 'blue=90,green=10'), fc.oneof(hostileText, fc.constant(5))),
  { maxKeys: 3 },
);

/** An entry whose every part is right more often than not, so that one wrong part decides. */
export const hostileEntry = fc.record(
  {
    subject: mostly(
      fc.constant('header.x-key:k'),
      hostileText.map((text) => `header.x-key:${text}`),
    ),
    list: mostly(fc.constant('manual'), hostileText),
    action: mostly(
      fc.constantFrom('allow', 'deny', 'tarpit', 'drop', 'tag', 'log'),
      fc.constantFrom('Deny', 'deny\r\n'),
    ),
    reason: mostly(fc.constantFrom('abuse', 'x'.repeat(200), '100% "sure", \u00fc'), hostileText),
    status: mostly(fc.constantFrom(403, 451), fc.constantFrom(302, 418, '403')),
    vars,
    shadow: mostly(fc.constant('deny'), fc.constant('x\r\n')),
  },
  { requiredKeys: ['subject', 'list', 'action'] },
);

function mostly<T, U>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 7, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

/** Whether a text is one line that no reader takes for more than text; by code point, not as our own code does it. */
export function isHarmless(text: string): boolean {
  return text.length <= 2048 && [...text].every((character) => !isControl(character.codePointAt(0) ?? 0));
}

function isControl(point: number): boolean {
  const isC0 = point < 0x20;
  const isC1 = point >= 0x7f && point < 0xa0;
  const isSurrogate = point >= 0xd800 && point < 0xe000;
  const isSeparator = point === 0x2028 || point === 0x2029;
  const isBidirectional = (point >= 0x200b && point <= 0x200f) || (point >= 0x202a && point <= 0x202e);
  return isC0 || isC1 || isSurrogate || isSeparator || isBidirectional;
}
