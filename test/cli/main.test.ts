import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { PROGRAM } from '../../dev/program-path.ts';
import { startOnTable } from '../support/haverdict-on-table.ts';
import { localTable, storeAt } from '../support/local-table.ts';

const NOWHERE = 'http://127.0.0.1:1';
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

describe('haverdict', () => {
  it('prints the version of its package', async () => {
    const { status, stdout } = await startOnTable(NOWHERE, ['--version']).ended;
    assert.deepEqual([status, stdout], [0, `${manifest.version}\n`]);
  });

  it('ends with 0 when asked for help, and with 2 when asked for nothing', async () => {
    const help = await startOnTable(NOWHERE, ['--help']).ended;
    assert.equal(help.status, 0);
    assert.match(help.stdout, /block \[options\] <subject\.\.\.>/);
    const nothing = await startOnTable(NOWHERE, []).ended;
    assert.deepEqual([nothing.status, nothing.stdout], [2, '']);
  });

  it('refuses an unknown command with exit code 2 and one line', async () => {
    const { status, stderr } = await startOnTable(NOWHERE, ['blok']).ended;
    assert.deepEqual([status, stderr], [2, "haverdict: unknown command 'blok' (Did you mean block?)\n"]);
  });

  it('reads a source from a pipe', async (t) => {
    const { endpoint } = await localTable(t);
    const input = '203.0.113.7\n203.0.113.8\n';
    const { status } = await startOnTable(endpoint, ['import', '-', '--list', 'feed'], { input }).ended;
    const there = await Array.fromAsync(storeAt(endpoint).ofList('feed'));
    assert.deepEqual([status, there.length], [0, 2]);
  });

  it('ends quietly when its reader has seen enough', async (t) => {
    const { endpoint } = await localTable(t);
    const store = storeAt(endpoint);
    const note = 'x'.repeat(20_000);
    for (let index = 0; index < 20; index++)
      await store.put({ subject: `key:${index}`, list: 'manual', action: 'deny', note });
    const env = environment(endpoint);
    const child = spawn(process.execPath, [PROGRAM, 'list', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.once('data', () => child.stdout.destroy());
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    const [status] = await once(child, 'exit');
    assert.deepEqual([status, complaint], [0, '']);
  });

  for (const args of [['schema'], ['--help'], ['list'], ['list', '--json'], ['completion', 'bash']])
    it(`says in one line that the disk is full: ${args.join(' ')}`, async (t) => {
      const { endpoint } = await localTable(t);
      await storeAt(endpoint).put({ subject: 'key:1', list: 'manual', action: 'deny' });
      const { status, complaint } = await runOnto(t, '/dev/full', endpoint, ...args);
      assert.equal(status, 1);
      assert.match(complaint, /^haverdict: cannot write to standard output: ENOSPC.*\n$/);
    });

  it('does all of a change whose result cannot be written, and says so', async (t) => {
    const { endpoint } = await localTable(t);
    const subjects = Array.from({ length: 20 }, (_, index) => `host:h${index}.example`);
    const { status, complaint } = await runOnto(t, '/dev/full', endpoint, 'block', ...subjects);
    assert.equal(status, 1);
    assert.match(complaint, /^haverdict: cannot write to standard output: ENOSPC.*; the command continues\n$/);
    assert.equal((await Array.fromAsync(storeAt(endpoint).ofList('manual'))).length, subjects.length);
  });

  it('does all of a change whose reader has gone', async (t) => {
    const { endpoint } = await localTable(t);
    const subjects = Array.from({ length: 20 }, (_, index) => `host:h${index}.example`);
    const { status, complaint } = await runOnto(t, undefined, endpoint, 'block', ...subjects);
    assert.deepEqual([status, complaint], [0, '']);
    assert.equal((await Array.fromAsync(storeAt(endpoint).ofList('manual'))).length, subjects.length);
  });
});

/** Runs the program with this file for its standard output, or with a pipe whose reader is gone. */
async function runOnto(t: TestContext, file: string | undefined, endpoint: string, ...args: readonly string[]) {
  const stdout = file === undefined ? 'pipe' : openSync(file, 'w');
  t.after(() => typeof stdout === 'number' && closeSync(stdout));
  const env = environment(endpoint);
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', stdout, 'pipe'] });
  child.stdout?.destroy();
  const [complaint, [status]] = await Promise.all([text(child.stderr as Readable), once(child, 'exit')]);
  return { status, complaint };
}

function environment(endpoint: string): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE, HOME: '/nonexistent', AWS_ENDPOINT_URL_DYNAMODB: endpoint };
}
