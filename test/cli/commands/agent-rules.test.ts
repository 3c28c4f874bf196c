import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { configFile } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';

const CONFIG = `backend: { url: http://127.0.0.1:1 }
listen: ["tcp://127.0.0.1:0"]
rules: ./rules.mjs
messages:
  check-request: { subjects: { ip: src } }
  login: { group: login, arguments: { path: path } }
`;

describe('haverdict agent with rules', () => {
  it('--check loads them and says what they decide', (t) => {
    const file = configFile(t, CONFIG);
    writeFileSync(join(file, '../rules.mjs'), `export default { login() {} };`);
    const { status, stdout, stderr } = runHaverdict('agent', '--check', '-c', file);
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^ {2}.*rules\.mjs decides login$/m);
  });

  const WRONG: readonly (readonly [text: string | undefined, says: RegExp])[] = [
    [undefined, /rules\.mjs: rules: there is no such file/],
    ['export default {\n  login( { };\n};', /rules\.mjs:2: rules: SyntaxError: /],
    [`throw new Error('why');`, /rules\.mjs:1:7: rules: Error: why/],
    ['export default { logn() {} };', /rules: has a function for logn, .* did you mean login\?/],
    ['export default { xyzabc() {} };', /rules: has a function for xyzabc, .* known are check-request, login/],
    ["export default { 'check-request'() {} };", /rules: has no function for login, and that message has no subjects/],
  ];
  for (const [text, says] of WRONG)
    for (const more of [['--check'], [], ['with two workers']])
      it(`${more.join(' ')} ends with 78 and one line: ${says.source}`, (t) => {
        const workers = more.length === 1 && more[0] !== '--check' ? 'workers: 2\n' : '';
        const file = configFile(t, CONFIG + workers);
        if (text !== undefined) writeFileSync(join(file, '../rules.mjs'), text);
        const { status, stdout, stderr } = runHaverdict('agent', ...(workers === '' ? more : []), '-c', file);
        assert.match(stderr, says);
        assert.deepEqual([status, stdout, stderr.split('\n').length], [78, '', 2]);
      });
});
