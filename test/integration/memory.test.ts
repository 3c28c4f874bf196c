import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { askAll, startFunction } from '../../bench/memory.ts';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { freePort } from '../../dev/free-port.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeNewer, describeUsual } from '../support/scope.ts';

const ADDRESSES = 60_000;
/** It is 135 to 175 MB with Node 22 and 24, and was 270 to 360 MB while V8 was left to itself. */
const MOST_MB = 210;
/** As its users start it: nobody has said a limit of the heap. */
const UNBOUNDED = { NODE_OPTIONS: '' };

describeNewer('the memory of the agent', () => {
  it(`stays small while ${ADDRESSES} addresses are looked up`, { timeout: 300_000 }, async (t) => {
    const backend = await startFunction();
    const port = await freePort();
    const { port: backendPort } = backend.address() as AddressInfo; // it listens on TCP
    const config = {
      listen: [`tcp://127.0.0.1:${port}`],
      backend: { url: `http://127.0.0.1:${backendPort}`, timeoutMs: 5_000, maxCallsPerSecond: 10_000 },
      deadlineMs: 5_000,
    };
    const agent = await startAgentProcess(config, temporaryFolder(t), UNBOUNDED);
    t.after(async () => {
      await agent.kill('SIGTERM');
      backend.close();
      backend.closeAllConnections();
    });
    await askAll(port, ADDRESSES);
    const mb = residentMb(agent.pid);
    t.diagnostic(`${mb} MB`);
    assert.ok(mb <= MOST_MB, `${mb} MB are resident`);
  });
});

describeUsual('the heap of the agent', () => {
  it('is bounded by the settings, in the process that was started', async (t) => {
    const port = await freePort();
    const agent = await startAgentProcess(
      {
        listen: [`tcp://127.0.0.1:${port}`],
        backend: { url: 'http://127.0.0.1:1' },
        cache: { maxEntries: 10_000 },
        memory: { heapMegabytes: 100 },
      },
      temporaryFolder(t),
      UNBOUNDED,
    );
    const command = readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8').split('\0');
    assert.ok(command.includes('--max-old-space-size=108'), command.join(' '));
    assert.ok(
      agent.lines.every((line) => line.startsWith('{')),
      agent.lines.join('\n'),
    );
    assert.equal(await agent.kill('SIGTERM'), 0);
  });
});

function residentMb(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}
