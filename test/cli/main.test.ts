import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { runOnTable } from '../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../support/local-table.ts';

const NOWHERE = 'http://127.0.0.1:1';
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

describe('haverdict', () => {
  it('prints the version of its package', async () => {
    const { status, stdout } = await runOnTable(NOWHERE, '--version');
    assert.deepEqual([status, stdout], [0, `${manifest.version}\n`]);
  });

  it('ends with 0 when asked for help, and with 2 when asked for nothing', async () => {
    const help = await runOnTable(NOWHERE, '--help');
    assert.equal(help.status, 0);
    assert.match(help.stdout, /block \[options\] <subject\.\.\.>/);
    const nothing = await runOnTable(NOWHERE);
    assert.deepEqual([nothing.status, nothing.stdout], [2, '']);
  });

  it('refuses an unknown command with exit code 2 and one line', async () => {
    const { status, stderr } = await runOnTable(NOWHERE, 'blok');
    assert.deepEqual([status, stderr], [2, "haverdict: unknown command 'blok' (Did you mean block?)\n"]);
  });

  it('ends quietly when its reader has seen enough', async (t) => {
    const { endpoint } = await localTable(t);
    const store = storeAt(endpoint);
    const note = 'x'.repeat(20_000);
    for (let index = 0; index < 20; index++)
      await store.put({ subject: `key:${index}`, list: 'manual', action: 'deny', note });
    const env = { PATH: process.env.PATH, AWS_ENDPOINT_URL_DYNAMODB: endpoint };
    const program = new URL('../../cli/main.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [program, 'list', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.once('data', () => child.stdout.destroy());
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    const [status] = await once(child, 'exit');
    assert.deepEqual([status, complaint], [0, '']);
  });
});
