import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { PROGRAM } from '../../../dev/program-path.ts';
import { leftBy } from '../../support/left-behind.ts';
import { describeNewer } from '../../support/scope.ts';

const NOTHING = { files: [], processes: [] };
const MAIN = new URL('../../../dev/stack/main.ts', import.meta.url).pathname;
const LOCAL = [process.execPath, MAIN, '--table-port', '0', '--function-port', '0'];

describe('the local cloud', () => {
  it('prints commands that work, and exits at once on Ctrl-C', async (t) => {
    const child = spawn(process.execPath, LOCAL.slice(1), { stdio: 'pipe' });
    t.after(() => child.kill('SIGKILL'));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line.includes('Ctrl-C')) break;
    }
    const [read = ''] = lines.filter((line) => /^ {2}\. .*operator/.test(line));
    const command = `${read}; exec "$0" ${PROGRAM} block 203.0.113.7`;
    const { status, stderr, stdout } = spawnSync('sh', ['-c', command, process.execPath], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^blocked ip:203\.0\.113\.7/);

    const url = lines.map((line) => /^ {2}FunctionUrl +(\S+)$/.exec(line)?.[1]).find(Boolean);
    assert.equal((await fetch(`${url}v1/health`)).status, 403);

    child.kill('SIGUSR2');
    const [said] = await once(child.stdout.resume(), 'data');
    assert.equal(String(said), 'deleted 0 expired items\n');
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});

describeNewer('the terminal of the local cloud', () => {
  for (const moment of ['local cloud', 'Ctrl-C'])
    it(`leaves nothing behind when it is closed after "${moment}"`, () =>
      assert.deepEqual(leftBy(['sh', '-c', `echo local cloud; exec "$0" "$@"`, ...LOCAL], moment), NOTHING));

  for (const moment of ['> haverdict', 'Ctrl-C'])
    it(`leaves nothing behind when npm is interrupted after "${moment}"`, () =>
      assert.deepEqual(leftBy(['npm', 'run', 'local', '--', ...LOCAL.slice(2)], moment, 'interrupted'), NOTHING));
});
