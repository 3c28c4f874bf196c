import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { RpcClient } from '../../../agent/lifecycle/worker-rpc.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const CALLS = new URL('../../../agent/lifecycle/worker-rpc.ts', import.meta.url).href;

describe('a call of another process', () => {
  it('brings what the function returns, or what it threw', async (t) => {
    const rpc = new RpcClient(other(t, `twice: (number) => 2 * number, fails() { throw new Error('why'); }`));
    assert.equal(await rpc.call('twice', 21), 42);
    await assert.rejects(rpc.call('fails'), /^Error: why$/);
  });

  it('is rejected where that process ends meanwhile', async (t) => {
    const rpc = new RpcClient(other(t, 'end: () => process.exit(3)'));
    await assert.rejects(rpc.call('end'), /^Error: the worker ended$/);
  });

  it('is rejected, and ends nobody, where the channel is closed and the process not gone yet', async (t) => {
    const child = other(t, 'wait: () => {}');
    const rpc = new RpcClient(child);
    await rpc.call('wait');
    child.disconnect();
    await assert.rejects(rpc.call('wait'), { code: 'ERR_IPC_CHANNEL_CLOSED' });
  });

  it('whose answer nobody can be given ends nobody', async (t) => {
    const child = other(t, `late: () => new Promise((resolve) => process.once('disconnect', resolve))`);
    new RpcClient(child).call('late').catch(() => {});
    const exited = once(child, 'exit');
    child.disconnect();
    assert.deepEqual(await exited, [0, null]);
  });
});

/** A process that answers calls with these functions. */
function other(t: TestContext, functions: string) {
  const file = join(temporaryFolder(t), 'other.mjs');
  writeFileSync(file, `import { serveCalls } from '${CALLS}';\nserveCalls(process, { ${functions} });\n`);
  const child = fork(file, { execArgv: [] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}
