import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../dev/free-port.ts';
import { startHaproxy } from '../../dev/haproxy.ts';
import { visit } from '../../dev/visit.ts';
import { AGENT_ERRORS } from '../../spop/agent/agent-error.ts';
import { VALUE_TYPES } from '../../spop/agent/values.ts';
import { temporaryFolder } from '../support/config-file.ts';

const ROOT = join(import.meta.dirname, '../..');
const HOOK = join(ROOT, 'test/support/packages-from-sources.ts');
const readme = readFileSync(join(ROOT, 'spop/README.md'), 'utf8');
const [AGENT = '', WIRING = ''] = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');

describe('the README of haverdict-spop', () => {
  const folder = temporaryFolder({ after });

  it('has an agent in ten lines that denies through HAProxy what it says', async (t) => {
    assert.ok((AGENT.match(/^.+$/gm) ?? []).length <= 10);
    const [agentPort, webPort] = [await freePort(), await freePort()];
    const write = (file: string, code: string) =>
      writeFileSync(
        join(folder, file),
        code.replace('port: 9000', `port: ${agentPort}`).replace('127.0.0.1:8080', `127.0.0.1:${webPort}`),
      );
    write('agent.mts', AGENT);
    write('haproxy.mts', WIRING);
    execFileSync(process.execPath, ['--import', HOOK, 'haproxy.mts'], { cwd: folder });
    const agent = spawn(process.execPath, ['--import', HOOK, 'agent.mts'], { cwd: folder, stdio: 'inherit' });
    const ended = once(agent, 'exit');
    t.after(() => agent.kill('SIGKILL'));
    while (!(await listens(agentPort))) await pause(10);
    const haproxy = await startHaproxy({ config: readFileSync(join(folder, 'haproxy.cfg'), 'utf8') });
    t.after(() => haproxy.stop());
    const statusOf = async (path: string) => (await visit({ port: webPort, from: '127.0.0.1', path })).status;
    assert.equal(await statusOf('/'), 200);
    assert.equal(await statusOf('/internal'), 403);
    agent.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

  it('lists every code of an error with what happened, and every type', () => {
    const rows = [...readme.matchAll(/^\| `([a-z_]+)` \| (.+) \|$/gm)].map(([, code, what]) => [code, what]);
    const codes = rows.filter(([code = '']) => code in AGENT_ERRORS);
    const without = (text: string) => text.replace(/: 256 on a connection, or 32,768$/, '');
    assert.deepEqual(Object.fromEntries(codes.map(([code, what = '']) => [code, without(what)])), AGENT_ERRORS);
    const [, types = ''] = /^Types are (.+?)\. /m.exec(readme) ?? [];
    assert.deepEqual(new Set(types.replaceAll('`', '').split(', ')), VALUE_TYPES);
  });

  it('names what npm shows: all links lead out of the folder by an address', () => {
    for (const [, target = ''] of readme.matchAll(/\]\(([^)]+)\)/g))
      assert.match(target, /^https:\/\/github\.com\/haverdict\//);
  });
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
