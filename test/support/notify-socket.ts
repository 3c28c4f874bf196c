import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { until } from './until.ts';

/** Binds a unix datagram socket, prints each datagram as JSON, and closes passed descriptors: systemd's barrier. */
const RECEIVER = `
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('"bound"', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(65536, 4096)
    for level, kind, passed in ancillary:
        if kind == socket.SCM_RIGHTS:
            fds = array.array('i')
            fds.frombytes(passed[: len(passed) - len(passed) % fds.itemsize])
            for fd in fds: os.close(fd)
    if data != b'BARRIER=1': print(json.dumps(data.decode()), flush=True)
`;

/** A service manager that only listens. */
export interface NotifySocket {
  readonly path: string;
  /** Each datagram, in order. */
  readonly told: readonly string[];
}

export async function openNotifySocket(t: TestContext): Promise<NotifySocket> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-notify-'));
  const path = join(folder, 'notify.sock');
  const receiver = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => {
    receiver.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const told: string[] = [];
  createInterface(receiver.stdout).on('line', (line) => told.push(JSON.parse(line)));
  await until(
    () => told.length > 0,
    () => 'the receiver did not start',
  );
  told.shift();
  return { path, told };
}
