import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeNewer } from '../support/scope.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Each script with the options that take a number. */
const NUMBERS = {
  'dev/demo/main.ts': ['--port'],
  'dev/stack/main.ts': ['--table-port', '--function-port'],
} as const;

describeNewer('what is typed for a script of the checkout', () => {
  const scripts = Object.entries(NUMBERS);
  for (const [script, options] of scripts)
    for (const option of options)
      it(`is one line and exit code 2 if it is wrong: ${script} ${option}`, () => {
        for (const value of ['abc', '99999']) {
          const { status, stderr } = spawnSync(process.execPath, [join(ROOT, script), option, value], {
            encoding: 'utf8',
          });
          assert.equal(status, 2);
          assert.match(
            stderr,
            new RegExp(`^[a-z ]+: ${option} "${value}" is not a whole number from \\d+ to 65535\\n$`),
          );
        }
      });

  it('is one line if there is no such option', () => {
    const [script = ''] = Object.keys(NUMBERS);
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, script), '--twice'], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [2, "haverdict demo: Unknown option '--twice': --help lists the options\n"]);
  });
});
