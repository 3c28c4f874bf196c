import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';
import { leftBy } from '../../support/left-behind.ts';
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

  it('leaves nothing behind when npm is interrupted', () =>
    assert.deepEqual(leftBy(['npm', 'run', 'demo'], '2. ', 'interrupted'), { files: [], processes: [] }));

  it('names the visitor of each answer, and prints commands that work as they are pasted', async (t) => {
    const demo = spawn(process.execPath, [DEMO], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(async () => {
      demo.kill('SIGTERM');
      if (demo.exitCode === null) await once(demo, 'exit');
    });
    const lines: string[] = [];
    for await (const line of createInterface(demo.stdout)) {
      lines.push(line);
      if (line.includes(' prove ')) break;
    }
    const answers = lines.filter((line) => /: \d{3} {2}in /.test(line));
    assert.ok(answers.length > 10);
    for (const line of answers) assert.match(line, /^ {3}(127\.|::1)/);
    const pasted = lines.filter((line) => /^ {2}(cd|export|curl|npm) /.test(line)).map((line) => line.trim());
    const typed = pasted.map((line) => line.replace(/ top$/, ' top --once'));
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', typed.join('\n')], { encoding: 'utf8' });
    assert.equal(status, 0, `${typed.join('\n')}\n${stdout}${stderr}`);
    const [, page = ''] = /^The status page of the agent: (\S+)$/m.exec(lines.join('\n')) ?? [];
    assert.equal((await fetch(page)).status, 200);
  });
});
