import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { openNotifier } from '../../../agent/lifecycle/systemd-notify.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { openNotifySocket } from '../../support/notify-socket.ts';
import { until } from '../../support/until.ts';

describe('what the service manager is told', () => {
  it('is told of each step of a life, in order', async (t) => {
    const { manager, notifier } = await open(t);
    const before = process.hrtime.bigint() / 1000n;
    notifier.ready('listening on tcp://127.0.0.1:9000');
    notifier.reloading();
    notifier.ready('reloaded');
    notifier.status('the backend fails');
    notifier.stopping();
    await manager.has(5);
    const [ready, reloading = '', ...rest] = manager.told;
    assert.equal(ready, 'READY=1\nSTATUS=listening on tcp://127.0.0.1:9000');
    const [, usec = ''] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading) ?? [];
    assert.ok(BigInt(usec) >= before && BigInt(usec) <= process.hrtime.bigint() / 1000n, reloading);
    assert.deepEqual(rest, [
      'READY=1\nSTATUS=reloaded',
      'STATUS=the backend fails',
      'STOPPING=1\nSTATUS=stopping: answering pending requests',
    ]);
  });

  it('is told nothing but a status by a status, whatever is in it', async (t) => {
    const { manager, notifier } = await open(t);
    notifier.status(`$(touch x) "a'\\n\nSTOPPING=1\tREADY=1${'x'.repeat(500)}`);
    notifier.stopping();
    await manager.has(2);
    const [status = '', stopping = ''] = manager.told;
    assert.ok(status.startsWith(`STATUS=$(touch x) "a'\\n STOPPING=1 READY=1xxx`), status);
    assert.ok(status.length < 250);
    assert.match(stopping, /^STOPPING=1/);
  });

  it('hears beats from this event loop, and none while it is stuck', async (t) => {
    const { manager } = await open(t, { WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) });
    await manager.has(3);
    const before = manager.told.length;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    await manager.has(before + 1);
    assert.ok(manager.told.length < before + 10, `${manager.told.length - before} beats for one turn`);
    assert.deepEqual(new Set(manager.told), new Set(['WATCHDOG=1']));
  });

  it('hears no beat that another process was asked for', async (t) => {
    const { manager, notifier } = await open(t, { WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' });
    notifier.ready('first');
    await manager.has(1);
    notifier.ready('second');
    await manager.has(2);
    assert.deepEqual(manager.told, ['READY=1\nSTATUS=first', 'READY=1\nSTATUS=second']);
  });

  it('is hidden from the children of the agent', async (t) => {
    const { env } = await open(t, { WATCHDOG_USEC: '1000000' });
    assert.deepEqual(Object.keys(env), ['PATH']);
  });

  it('is left alone where there is none', (t) => {
    const notifier = openNotifier({ PATH: process.env.PATH }, (problem) => assert.fail(problem));
    t.after(() => notifier.close());
    notifier.ready('listening');
    notifier.reloading();
    notifier.stopping();
  });

  it('ends a systemd-notify that hangs, and the process goes on to its own end', async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'systemd-notify'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const program = `
      import { openNotifier } from ${JSON.stringify(import.meta.resolve('../../../agent/lifecycle/systemd-notify.ts'))};
      const env = { NOTIFY_SOCKET: '/nowhere', PATH: ${JSON.stringify(`${folder}:${process.env.PATH}`)} };
      const notifier = openNotifier(env, console.error);
      notifier.stopping();
      await notifier.close();
      console.log('closed');`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    assert.deepEqual([stdout, stderr], ['closed\n', '']);
  });

  it('is missed in one line where systemd-notify is missing', async (t) => {
    const problems: string[] = [];
    const notifier = openNotifier({ NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' }, (problem) => problems.push(problem));
    t.after(() => notifier.close());
    await until(
      () => problems.length > 0,
      () => 'nothing was told',
    );
    notifier.ready('listening');
    assert.deepEqual(problems, ['systemd-notify is not installed']);
  });
});

async function open(t: TestContext, variables: NodeJS.ProcessEnv = {}) {
  const { path, told } = await openNotifySocket(t);
  const env: NodeJS.ProcessEnv = { ...variables, NOTIFY_SOCKET: path, PATH: process.env.PATH };
  const notifier = openNotifier(env, (problem) => assert.fail(problem));
  t.after(() => notifier.close());
  const has = (count: number) =>
    until(
      () => told.length >= count,
      () => JSON.stringify(told),
    );
  return { env, notifier, manager: { told, has } };
}
