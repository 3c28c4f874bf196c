import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sampleProblem } from '../../config/sample-expression.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';

describe('a sample expression', () => {
  for (const expression of [
    'src',
    'req.hdr(host)',
    'path,lower',
    'src,map_ip(/a/b.map,x),upper',
    'lua.mine',
    'lua.f(a),lua.c',
    'str(a(b),concat(-,txn.x)',
    'hdr(x-forwarded-for,-1)',
    'base32+src',
  ])
    it(`is one that HAProxy may know: ${expression}`, () => assert.equal(sampleProblem(expression, '2.6'), undefined));

  for (const [expression, meant, isTypo] of [
    ['scr', 'src', true],
    ['srcc', 'src', true],
    ['req.hrd(host)', 'req.hdr', true],
    ['mehtod', 'method', true],
    ['req.hdr(host),lowr', 'lower', true],
    ['req.hdr(host),field(1,:),uper', 'upper', true],
    ['SRC', 'src', false],
    ['ssl_fc_quantum_bits', undefined, false],
    ['src,sha3', undefined, false],
  ] as const)
    it(`says what is right for ${expression}`, () => {
      const problem = sampleProblem(expression, '2.6');
      assert.equal(problem?.isTypo, isTypo);
      if (meant !== undefined)
        assert.match(problem?.message ?? '', new RegExp(`did you mean ${meant.replace('.', '\\.')}\\?$`));
      assert.match(problem?.message ?? '', /^"[\w.]+" is not a (sample fetch|converter) of HAProxy up to /);
    });

  for (const [expression, says] of [
    ['req.hdr(host', /has an unclosed \($/],
    ['src)', /does not have this form$/],
    ['src,', /does not have this form$/],
    [',lower', /does not have this form$/],
    ['src(a)b', /does not have this form$/],
  ] as const)
    it(`is told where it has no such form: ${expression}`, () => {
      const problem = sampleProblem(expression, '2.6');
      assert.match(problem?.message ?? '', says);
      assert.equal(problem?.isTypo, false);
    });

  it('is never refused for a HAProxy that is newer than the list', () => {
    const name = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz._'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom('scr', 'req.hrd')), (fetch) => {
        assert.ok(!sampleProblem(fetch, '3.5')?.isTypo);
      }),
    );
  });
});

describeOnEveryHaproxy('every name that HAProxy registers', ({ binary, version }) => {
  for (const [option, pattern, before] of [
    ['-dKsmp', /^\[[^\]]*\] ([^(:\s]+)/gm, ''],
    ['-dKcnv', /^(?!#)([^(:\s]+)/gm, 'src,'],
  ] as const)
    it(`is in config/sample-names.json: ${option}`, () => {
      const { stdout } = spawnSync(binary, [option, '-q', '-c', '-f', '/dev/null'], { encoding: 'utf8' });
      const names = [...stdout.matchAll(pattern)].map(([, name = '']) => name);
      assert.ok(names.length > 90);
      assert.deepEqual(
        names.filter((name) => sampleProblem(before + name, version) !== undefined),
        [],
      );
    });
});
