import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  isEdited,
  isOutdated,
  type MarkedPart,
  marked,
  readMarks,
  withParts,
} from '../../../haproxy/generate/marks.ts';

const names = fc.constantFrom('frontend', 'routes', 'agents', 'group-login');
const word = fc.stringMatching(/^[a-z"'%{}() -]{1,12}$/).filter((text) => text.trim() !== '');
const ruleLines = fc.array(fc.oneof(word, fc.constant('')), { maxLength: 6 });
const part = fc
  .record({ name: names, lines: ruleLines, indentation: fc.constantFrom('', '    ') })
  .map(({ name, lines, indentation }): MarkedPart => {
    const own = lines.join('') === '' ? [] : ['first', ...lines];
    return { name, text: own.map((line) => (line === '' ? '\n' : `${indentation}${line}\n`)).join('') };
  });
/** What an operator has around the parts; the last line may have no end. */
const around = fc.array(
  fc.oneof(
    fc.constantFrom(
      'frontend web',
      '\tbind :80',
      '    # haverdict is below',
      '',
      '  acl a src 192.0.2.1 # begin',
      '\u00e4 \u{1f600}',
    ),
    fc.string({ unit: 'grapheme-ascii', maxLength: 10 }).filter((text) => !/[\r\n]|haverdict/.test(text)),
  ),
  { maxLength: 5 },
);

/** A file with parts in it, each indented as the operator likes. */
const file = fc
  .record({
    pieces: fc.array(fc.record({ before: around, part, indentation: fc.constantFrom('', '    ', '\t', '  ') }), {
      minLength: 1,
      maxLength: 4,
    }),
    last: around,
    end: fc.constantFrom('\n', '\r\n'),
    hasLastEnd: fc.boolean(),
  })
  .map(({ pieces, last, end, hasLastEnd }) => {
    const lines = pieces.flatMap(({ before, part, indentation }) => [
      ...before,
      ...indented(marked(part), indentation),
    ]);
    const text = [...lines, ...last].join(end);
    return { text: hasLastEnd ? `${text}${end}` : text, parts: pieces.map((piece) => piece.part), end };
  });

function indented(text: string, indentation: string): string[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const own = /^ */.exec(lines[0] ?? '')?.[0].length ?? 0;
  return lines.map((line) => (line === '' ? '' : `${indentation}${line.slice(own)}`));
}

describe('the parts between marks', () => {
  it('are read as they were written, whatever stands around them and however they are indented', () => {
    fc.assert(
      fc.property(file, ({ text, parts }) => {
        const read = readMarks(text);
        assert.deepEqual(read.broken, []);
        assert.deepEqual(
          read.parts.map(({ name }) => name),
          parts.map(({ name }) => name),
        );
        for (const [at, found] of read.parts.entries()) {
          assert.equal(isEdited(found), false);
          assert.equal(isOutdated(found, parts[at] as MarkedPart), false); // one for each
        }
        assert.equal(
          withParts(
            text,
            read.parts.map((found, at) => ({ found, part: parts[at] as MarkedPart })),
          ),
          text,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('are replaced with every byte outside kept, and a second time changes nothing', () => {
    fc.assert(
      fc.property(file, fc.array(part, { minLength: 4, maxLength: 4 }), ({ text, end }, news) => {
        const replaced = (before: string) =>
          withParts(
            before,
            readMarks(before).parts.map((found, at) => ({
              found,
              part: { ...(news[at] as MarkedPart), name: found.name },
            })),
          );
        const after = replaced(text);
        assert.deepEqual(outside(after), outside(text));
        assert.equal(replaced(after), after);
        const { parts, broken } = readMarks(after);
        assert.deepEqual(broken, []);
        for (const [at, found] of parts.entries()) {
          assert.equal(isEdited(found), false);
          assert.equal(isOutdated(found, news[at] as MarkedPart), false);
        }
        if (end === '\r\n') assert.doesNotMatch(after, /[^\r]\n/);
        else assert.doesNotMatch(after, /\r/);
      }),
      { numRuns: 500 },
    );
  });

  it('are edited as soon as a line says something else, and not by blanks around it', () => {
    const text = marked({ name: 'frontend', text: '    http-request deny if a\n\n    http-request allow\n' });
    const editedBy = (from: string, to: string) => readMarks(text.replace(from, to)).parts.map(isEdited);
    assert.deepEqual(editedBy('deny if a', 'deny if b'), [true]);
    assert.deepEqual(editedBy('    http-request allow\n', ''), [true]);
    assert.deepEqual(editedBy('    http-request allow\n', '    http-request allow\n    # mine\n'), [true]);
    assert.deepEqual(editedBy('    http-request allow', '\thttp-request allow  '), [false]);
    assert.deepEqual(editedBy('\n\n', '\n'), [false]);
  });

  const BROKEN: readonly (readonly [string, string, readonly (readonly [number, string])[]])[] = [
    ['no end', '# haverdict begin a 0123456789abcdef\nx\n', [[0, 'part a begins and does not end']]],
    ['no begin', 'x\n# haverdict end a\n', [[1, 'part a ends and does not begin']]],
    [
      'one inside another',
      '# haverdict begin a 0123456789abcdef\n# haverdict begin b 0123456789abcdef\n# haverdict end b\n# haverdict end a\n',
      [
        [0, 'part a begins and does not end'],
        [3, 'part a ends and does not begin'],
      ],
    ],
    [
      'crossing names',
      '# haverdict begin a 0123456789abcdef\n# haverdict end b\n',
      [
        [1, 'part b ends and does not begin'],
        [0, 'part a begins and does not end'],
      ],
    ],
    [
      'half a digest',
      '# haverdict begin a 01234567\n# haverdict end a\n',
      [
        [0, 'this mark cannot be read'],
        [1, 'part a ends and does not begin'],
      ],
    ],
    ['another spelling', '#  Haverdict Begin a 0123456789abcdef\n', [[0, 'this mark cannot be read']]],
    ['words behind it', '# haverdict end a here\n', [[0, 'this mark cannot be read']]],
  ];
  for (const [what, text, expected] of BROKEN)
    it(`are broken marks, told with their lines: ${what}`, () => {
      assert.deepEqual(
        readMarks(text).broken.map(({ at, what }) => [at, what]),
        expected,
      );
    });
});

/** Everything but what stands between marks, and but for the digests. */
function outside(text: string): string[] {
  const kept: string[] = [];
  let isInside = false;
  for (const line of text.split('\n')) {
    if (/# haverdict end /.test(line)) isInside = false;
    if (!isInside) kept.push(line.replace(/(begin \S+) [0-9a-f]{16}/, '$1'));
    if (/# haverdict begin /.test(line)) isInside = true;
  }
  return kept;
}
