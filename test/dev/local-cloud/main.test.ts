import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { runOnTable } from '../../support/haverdict-on-table.ts';

const MAIN = new URL('../../../dev/local-cloud/main.ts', import.meta.url).pathname;

describe('the local cloud', () => {
  it('answers about what the command line blocked, and ends at once on ctrl-C', async (t) => {
    const child = spawn(process.execPath, [MAIN, '--table-port', '0', '--function-port', '0'], { stdio: 'pipe' });
    t.after(() => child.kill('SIGKILL'));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line.startsWith('ctrl-C')) break;
    }
    const url = /^function +(\S+)$/m.exec(lines.join('\n'))?.[1];
    const endpoint = /^table +haverdict at (\S+)$/m.exec(lines.join('\n'))?.[1];
    assert.ok(url && endpoint);

    assert.equal((await runOnTable(endpoint, 'block', '203.0.113.0/24')).status, 0);
    const body = JSON.stringify({ lists: ['manual'], subjects: ['ip:203.0.113.7'] });
    const answer = await fetch(`${url}/v1/check`, { method: 'POST', body });
    const { verdicts } = (await answer.json()) as { verdicts: { entry: { subject: string } }[] }; // the contract's tests check the rest
    assert.equal(verdicts[0]?.entry.subject, 'ip:203.0.113.0/24');

    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
