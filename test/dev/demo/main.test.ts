import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { leftBy } from '../../support/closed-terminal.ts';
import { describeNewer } from '../../support/scope.ts';

const DEMO = join(import.meta.dirname, '../../../dev/demo/main.ts');

describeNewer('the demo', () => {
  it('shows what the README says, and says after how many seconds a change took effect', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [DEMO, '--once'], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], stdout);
    assert.match(stdout, /\nAll \d+ steps passed in \d+\.\d s\.\n$/);
    const delays = [...stdout.matchAll(/, (\d+\.\d\d) s after the table had it$/gm)].map(([, delay]) => Number(delay));
    assert.ok(delays.length >= 4, stdout);
    for (const delay of delays) assert.ok(delay < 2, `${delay} s`);
  });

  for (const moment of ['all running on this machine', '2. ', 'until Ctrl-C'])
    it(`leaves nothing behind when its terminal is closed after "${moment}"`, () =>
      assert.deepEqual(leftBy([process.execPath, DEMO], moment), { files: [], processes: [] }));
});
