import assert from 'node:assert/strict';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { AgentState } from '../../agent/state/state.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { until } from '../support/until.ts';

const WORKERS = 3;

describe('several workers', () => {
  it('have together what the settings say', async (t) => {
    const { agent } = await setUp(t, { backend: { url: 'http://127.0.0.1:1', maxCallsPerSecond: 90 } });
    process.kill(agent.pid, 'SIGUSR1');
    const found = () => agent.lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'state');
    await until(
      () => found() !== undefined,
      () => agent.lines.join('\n'),
    );
    const { workers, backend, cache } = found() as AgentState; // as it was logged
    assert.deepEqual([workers, backend.callsPerSecond, cache.maxEntries], [WORKERS, 90, WORKERS * 1000]);
    assert.equal(await agent.kill('SIGTERM'), 0);
  });

  it('write the file of the cache once at the end', async (t) => {
    const folder = temporaryFolder(t);
    const { agent } = await setUp(t, { cache: { maxEntries: 1000, file: join(folder, 'cache') } });
    let written = 0;
    const watcher = watch(folder, (_event, name) => void (name === 'cache' && written++));
    t.after(() => watcher.close());
    assert.equal(await agent.kill('SIGTERM'), 0);
    while (written === 0) await turn();
    await turn();
    // Of two that write at once, one may find the other's half of a file in its way, and says so.
    const failed = agent.lines.filter((line) => line.includes('cannot be written'));
    assert.deepEqual({ written, failed }, { written: 1, failed: [] });
    assert.ok(existsSync(join(folder, 'cache')));
  });
});

async function setUp(t: TestContext, config: object) {
  const folder = temporaryFolder(t);
  const listen = [{ unix: join(folder, 'agent.sock') }];
  const usual = { listen, backend: { url: 'http://127.0.0.1:1' }, cache: { maxEntries: 1000 }, workers: WORKERS };
  const agent = await startAgentProcess({ ...usual, ...config }, folder);
  t.after(() => agent.kill('SIGKILL'));
  await until(
    () => agent.lines.some((line) => line.includes('with all workers')),
    () => agent.lines.join('\n'),
    30_000,
  );
  return { agent };
}
