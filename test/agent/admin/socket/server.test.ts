import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AdminSocket } from '../../../../agent/admin/socket/server.ts';
import { adminSocket, exchange, ScriptedControl } from '../../../support/admin-socket.ts';
import { temporaryFolder } from '../../../support/config-file.ts';

const SILENT = { info() {}, error() {} };
const FLUSH = '{"version":1,"command":"flush","subjects":["203.0.113.7"]}';

describe('the admin socket', () => {
  it('is for its user and group alone, and goes when it is closed', async (t) => {
    const { path, close } = await adminSocket(t);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    await close();
    assert.ok(!existsSync(path));
  });

  it('takes over the file of an agent that was killed, and no other file', async (t) => {
    const { path } = await adminSocket(t);
    const control = new ScriptedControl();
    await assert.rejects(AdminSocket.open(path, control, SILENT), /in use by a running process/);
    const file = join(temporaryFolder(t), 'precious');
    writeFileSync(file, 'text');
    await assert.rejects(AdminSocket.open(file, control, SILENT), /exists and is not a socket/);
  });

  it('answers each line in its order, on one connection', async (t) => {
    const { path, control } = await adminSocket(t);
    control.known = { 'ip:203.0.113.7': { action: 'deny', freshForSeconds: 1, keptForSeconds: 2 } };
    const answers = await exchange(path, `${FLUSH}\nnonsense\n{"version":1,"command":"log-level","level":"debug"}`);
    assert.deepEqual(answers, [
      { version: 1, result: { forgotten: 1, unknown: [] } },
      { version: 1, error: 'a request must be a JSON object on one line' },
      { version: 1, result: { level: 'debug', until: 'reload' } },
    ]);
    assert.deepEqual(control.told, ['flush ip:203.0.113.7', 'log debug']);
  });

  it('logs what was changed, as it was asked for, and nothing that was only looked at', async (t) => {
    const { path, lines } = await adminSocket(t);
    await exchange(path, '{"version":1,"command":"state"}\n{"version":1,"command":"flush","all":true}\n');
    assert.deepEqual(lines, [['admin command executed', { command: 'flush', all: true }]]);
  });

  it('tells a failure of our own to both sides, and lives', async (t) => {
    class Broken extends ScriptedControl {
      override async state(): Promise<never> {
        throw new Error('bug');
      }
    }
    const { path, lines } = await adminSocket(t, undefined, new Broken());
    const answers = await exchange(path, '{"version":1,"command":"state"}\n{"version":1,"command":"flush","all":true}');
    assert.deepEqual(answers, [
      { version: 1, error: 'internal error: Error: bug' },
      { version: 1, result: { forgotten: 0, unknown: [] } },
    ]);
    assert.equal(lines[0]?.[0], 'admin command failed');
  });

  it('refuses a request of 10 MB without keeping it, and answers others meanwhile', async (t) => {
    const { path } = await adminSocket(t);
    const before = process.memoryUsage().arrayBuffers;
    const garbage = exchange(path, Buffer.alloc(10_000_000, 'x'));
    assert.equal((await exchange(path, `${FLUSH}\n`)).length, 1);
    assert.deepEqual(await garbage, [{ version: 1, error: 'a request may have 65536 bytes' }]);
    assert.ok(process.memoryUsage().arrayBuffers - before < 25_000_000); // the test has its 10 MB too
  });

  it('takes any bytes for a request', async (t) => {
    const { path } = await adminSocket(t);
    const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, index) => (index * 31) % 256)).map((byte) =>
      byte === 10 ? 11 : byte,
    );
    assert.deepEqual(await exchange(path, bytes), [
      { version: 1, error: 'a request must be a JSON object on one line' },
    ]);
  });

  it('ends a connection that never asks, and one that asks in drops', async (t) => {
    const { path } = await adminSocket(t, { maxConnections: 4, requestMs: 100 });
    const silent = connect(path);
    await closed(silent);
    const slow = connect(path);
    const drops = setInterval(() => slow.write('{'), 10);
    t.after(() => clearInterval(drops));
    await closed(slow);
  });

  it('ends a connection that does not read its answers', async (t) => {
    const { path, control } = await adminSocket(t, { maxConnections: 1, requestMs: 200 });
    const many = Array.from({ length: 100_000 }, (_, index) => ({ subject: `key:${index}`, list: 'manual', count: 1 }));
    control.next = { ...control.next, top: many };
    const deaf = connect(path);
    deaf.write('{"version":1,"command":"state"}\n');
    await once(deaf, 'connect');
    const isClosed = closed(deaf); // from now on, as it may be reset at any moment
    deaf.pause();
    await freed(path);
    deaf.resume();
    await isClosed;
    assert.ok(deaf.bytesRead < 5_000_000, 'it was cut before the end');
  });

  it('turns away more connections than it takes, and takes new ones when those are gone', async (t) => {
    const { path } = await adminSocket(t, { maxConnections: 2, requestMs: 10_000 });
    const held = [connect(path), connect(path)];
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    assert.deepEqual(await exchange(path, FLUSH), [{ version: 1, error: 'all 2 connections are in use: try again' }]);
    const gone = held.map((socket) => once(socket, 'close'));
    for (const socket of held) socket.destroy();
    await Promise.all(gone);
    assert.deepEqual(await freed(path), [{ version: 1, result: { forgotten: 0, unknown: ['ip:203.0.113.7'] } }]);
  });
});

/** Resolves when it is gone, however that comes about. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** The answer to a request, as soon as there is a connection for it. */
async function freed(path: string): Promise<unknown[]> {
  for (;;) {
    const answers = await exchange(path, FLUSH);
    if (!JSON.stringify(answers).includes('in use')) return answers;
  }
}
