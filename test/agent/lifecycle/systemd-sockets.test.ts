import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type ListenOptions, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { SystemdSockets } from '../../../agent/lifecycle/systemd-sockets.ts';
import type { ListenAddress } from '../../../config/listen-address.ts';
import { freePort } from '../../../dev/free-port.ts';

const MODULE = join(import.meta.dirname, '../../../agent/lifecycle/systemd-sockets.ts');

describe('sockets that systemd passes', () => {
  it('are found by the path they listen at, and left there at the end', async (t) => {
    const path = join(folderFor(t), 'agent.sock');
    const agent = await startWith(t, { path }, { type: 'unix', path });
    assert.deepEqual(agent.found, { fd: 3, unused: [] });
    assert.equal(await greetingAt({ path }), 'hello');
    await agent.end();
    assert.ok(existsSync(path));
  });

  for (const [host, written] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '0:0::1'],
  ] as const) {
    it(`are found by the address they listen at: ${written}`, async (t) => {
      const port = await freePort();
      const agent = await startWith(t, { host, port }, { type: 'tcp', host: written, port });
      assert.deepEqual(agent.found, { fd: 3, unused: [] });
      assert.equal(await greetingAt({ host, port }), 'hello');
    });
  }

  it('are named when nothing takes them', async (t) => {
    const path = join(folderFor(t), 'agent.sock');
    const agent = await startWith(t, { path }, { type: 'unix', path: '/elsewhere.sock' });
    assert.deepEqual(agent.found, { unused: [`unix:${path}`] });
  });

  it('are not those of another process', () => {
    const sockets = new SystemdSockets({ LISTEN_FDS: '1', LISTEN_PID: '1' }, process.pid);
    assert.deepEqual(sockets.unused, []);
  });
});

/** Opens a socket and waits for the agent without ever accepting, as systemd does. */
const MANAGER = `
  const { spawnSync } = require('node:child_process');
  const [, listen, agent] = process.argv;
  const server = require('node:net').createServer().listen(JSON.parse(listen), () => {
    // exec keeps the pid, which nobody knows before the process is there
    const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --input-type=module -e "$1"';
    spawnSync('/bin/sh', ['-c', script, process.execPath, agent], {
      stdio: ['inherit', 'inherit', 'inherit', server._handle.fd],
    });
    process.kill(process.pid, 'SIGKILL'); // an orderly end would remove the socket file
  });`;

/** A process that was started with a socket as its descriptor 3; it ends with its standard input. */
async function startWith(t: TestContext, listen: ListenOptions, configured: ListenAddress) {
  const agent = `
    import { createServer } from 'node:net';
    import { SystemdSockets } from ${JSON.stringify(MODULE)};
    const sockets = new SystemdSockets(process.env, process.pid);
    const fd = sockets.take(${JSON.stringify(configured)});
    const server = createServer((socket) => socket.end('hello'));
    if (fd !== undefined) server.listen({ fd });
    console.log(JSON.stringify({ fd, unused: sockets.unused }));
    process.stdin.resume().on('end', () => server.close(() => process.exit()));`;
  const manager = spawn(process.execPath, ['-e', MANAGER, JSON.stringify(listen), agent], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(manager, 'exit');
  const end = async () => {
    manager.stdin.end();
    await exited;
  };
  t.after(end);
  const [line] = await once(createInterface(manager.stdout), 'line');
  return { found: JSON.parse(line), end };
}

async function greetingAt(address: NetConnectOpts): Promise<string> {
  return text(connect(address));
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-sockets-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
