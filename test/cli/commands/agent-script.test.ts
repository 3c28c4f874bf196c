import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { configFile } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { SCOPE } from '../../support/scope.ts';

const CONFIG = `backend: { url: http://127.0.0.1:1 }
listen: ["tcp://127.0.0.1:0"]
script: ./script.mjs
messages:
  check-request: { subjects: { ip: src } }
  login: { group: login, arguments: { path: path } }
`;

const WAYS = [
  ['--check', ['--check'], ''],
  ['one process', [], ''],
  ['with two workers', [], 'workers: 2\n'],
] as const;

describe('haverdict agent with a script', () => {
  it('--check loads it and says what it decides', async (t) => {
    const file = configFile(t, CONFIG);
    writeFileSync(join(file, '../script.mjs'), `export default { login() {} };`);
    const { status, stdout, stderr } = await runHaverdict('agent', '--check', '-c', file);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^ {2}.*script\.mjs decides login$/m);
  });

  const WRONG: readonly (readonly [text: string | undefined, says: RegExp])[] = [
    [undefined, /script\.mjs: script: no such file/],
    ['export default {\n  login( { };\n};', /script\.mjs:2: script: SyntaxError: /],
    [`throw new Error('why');`, /script\.mjs:1:7: script: Error: why/],
    ['export default { logn() {} };', /script: has a function for logn, .* did you mean login\?/],
    ['export default { xyzabc() {} };', /script: has a function for xyzabc, .* known are check-request, login/],
    ["export default { 'check-request'() {} };", /script: has no function for login, and that message has no subjects/],
  ];
  for (const [index, [text, says]] of WRONG.entries())
    for (const [how, args, more] of SCOPE === 'all' ? WAYS : [WAYS[index % WAYS.length] ?? WAYS[0]])
      it(`${how} ends with 78 and one line: ${says.source}`, async (t) => {
        const file = configFile(t, CONFIG + more);
        if (text !== undefined) writeFileSync(join(file, '../script.mjs'), text);
        const { status, stdout, stderr } = await runHaverdict('agent', ...args, '-c', file);
        assert.match(stderr, says);
        assert.deepEqual([status, stdout, stderr.split('\n').length], [78, '', 2]);
      });
});
