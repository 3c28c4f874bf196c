import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, globSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isAnswered, startAgentOn } from '../support/agent-on-output.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { until } from '../support/until.ts';

/** Binds a unix datagram socket and fills it. */
const FULL_SOCKET = `
import socket, sys, time
manager, client = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
manager.bind(sys.argv[1])
client.connect(sys.argv[1])
client.setblocking(False)
try:
    while True: client.send(b'STATUS=x')
except BlockingIOError: pass
print('full', flush=True)
time.sleep(600)
`;

const MANAGERS: Readonly<Record<string, (t: TestContext) => Promise<string>>> = {
  async 'does not read its socket'(t) {
    const path = join(temporaryFolder(t), 'notify.sock');
    const manager = spawn('python3', ['-c', FULL_SOCKET, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => manager.kill('SIGKILL'));
    await once(manager.stdout, 'data');
    return path;
  },
  'has no socket any more': async (t) => join(temporaryFolder(t), 'notify.sock'),
};

describe('an agent whose service manager', () => {
  for (const [name, open] of Object.entries(MANAGERS))
    it(`${name} answers all the same, ends with 0 and leaves no helper behind`, { timeout: 120_000 }, async (t) => {
      const socket = await open(t);
      const output = openSync('/dev/null', 'w');
      t.after(() => closeSync(output));
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '20000' };
      const agent = await startAgentOn(t, { descriptor: output }, { env });
      await isAnswered(agent);
      assert.ok(helpers(socket).length > 0, 'there is a helper at all');
      assert.equal(await agent.end(), 0);
      await until(
        () => helpers(socket).length === 0,
        () => `still there: ${helpers(socket).join(', ')}`,
      );
    });
});

/** The processes that are told this socket, but the agent: it takes the variable out of its environment. */
function helpers(socket: string): string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    try {
      const command = readFileSync(file, 'utf8').replaceAll('\0', ' ');
      const env = readFileSync(file.replace('cmdline', 'environ'), 'utf8');
      return env.includes(`NOTIFY_SOCKET=${socket}`) && /systemd-notify/.test(command) ? [command] : [];
    } catch {
      return []; // it has just ended
    }
  });
}
