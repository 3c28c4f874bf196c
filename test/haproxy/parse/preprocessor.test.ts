import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { readLines } from '../../../haproxy/parse/preprocessor.ts';
import { HAPROXY_VERSIONS } from '../../../haproxy/versions.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { longRuns } from '../../support/scope.ts';

const version = fc
  .tuple(
    fc.constantFrom(...HAPROXY_VERSIONS, '2', '3', '4.0'),
    fc.constantFrom('', '', '', '.0', '.5', '.12', '.99', '-dev3'),
  )
  .map(([branch, rest]) => (branch.includes('.') ? branch + rest : branch));
const quoted = fc.constantFrom('', '"');
const predicate = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('atleast', 'before'), quoted, version)
      .map(([name, quote, at]) => `version_${name}(${quote}${at}${quote})`),
  },
  fc.constantFrom('0', '1', '42'),
  // what depends on where HAProxy runs, and how it was built
  fc.constantFrom('defined(HAVERDICT_NOWHERE)', 'defined(PATH)', 'feature(OPENSSL)', 'streq(a,a)', 'strneq("a","b")'),
);
const blank = fc.constantFrom('', ' ', '  ');
const { condition } = fc.letrec<{ condition: string; operand: string }>((tie) => ({
  operand: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    predicate,
    fc.tuple(blank, tie('operand')).map(([gap, operand]) => `!${gap}${operand}`),
    fc.tuple(blank, tie('condition')).map(([gap, inner]) => `(${gap}${inner}${gap})`),
  ),
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('operand'),
    fc
      .tuple(tie('operand'), blank, fc.constantFrom('&&', '||'), tie('condition'))
      .map(([one, gap, operator, other]) => `${one}${gap}${operator}${gap}${other}`),
  ),
}));

describeOnEveryHaproxy('a condition on the version', ({ binary, version: own }) => {
  it('is true or false as HAProxy takes it, or unknown', (t) => {
    const file = join(temporaryFolder(t), 'haproxy.cfg');
    const seed = Date.now();
    // HAProxy answers all of them at once, by what it notices
    const conditions = fc.sample(condition, { seed, numRuns: longRuns(4000, 400) });
    const texts = conditions.map((one, index) => `.if ${one}\n.notice "takes-${index}-"\n.endif\n`);
    writeFileSync(file, `${texts.join('')}global\n`);
    const { stdout, stderr } = spawnSync(binary, ['-c', '-f', file], { encoding: 'utf8', maxBuffer: 1e8 });
    assert.doesNotMatch(stdout + stderr, /ALERT/);
    const taken = new Set([...(stdout + stderr).matchAll(/takes-(\d+)-/g)].map(([, index]) => Number(index)));
    let known = 0;
    for (const [index, one] of conditions.entries()) {
      const lines = readLines(file, `.if ${one}\nyes\n.else\nno\n.endif`, own).lines.map(({ text }) => text);
      const right = taken.has(index) ? 'yes' : 'no';
      assert.ok(lines.includes(right), `${one}: ${right}, and only ${lines} is read (seed ${seed})`);
      if (lines.length === 1) known++;
    }
    assert.ok(known > conditions.length / 2, `only ${known} are known`);
  });
});
