import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startAgentProcess } from '../../dev/agent-process.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { isRoot } from '../support/scope.ts';
import { until } from '../support/until.ts';

/** A group that is on every Debian and that nobody is in. */
const GROUP = 'daemon';

describe('the socket of an agent', () => {
  // Only root can be another user, and one who is in the group.
  if (isRoot) {
    it('is not given to a group by a user who is not in it: one line names the group and what would be right', async (t) => {
      const { file, folder } = configuration(t);
      const check = await run(['--check', '-c', file], folder, []);
      assert.equal(check.code, 0);
      const remedy = `SupplementaryGroups=${GROUP} in`;
      assert.match(
        check.stderr,
        new RegExp(`^haverdict: warning: .*listen\\[0\\].group: .* group ${GROUP} .*${remedy}`),
      );
      const start = await run(['-c', file], folder, []);
      assert.equal(start.code, 78, 'systemd does not try again');
      const line = `^haverdict: this host: listen: cannot give \\S+ to group ${GROUP}: .*${remedy}.*haverdict\\.socket.*\\n$`;
      assert.match(start.stderr, new RegExp(line));
    });

    it('is given to it by a user who is, and told to be right before', async (t) => {
      const { file, folder } = configuration(t);
      const { code, stderr } = await run(['--check', '-c', file], folder, [`--groups=${groupId()}`]);
      assert.deepEqual([code, stderr], [0, '']);
    });
  }

  it('is for a group that there must be: one line says so', async (t) => {
    const { file, folder } = configuration(t, 'no-such-group');
    for (const [args, line] of [
      [
        ['--check', '-c', file],
        /listen\[0\]\.group: must be a group of this host, but "no-such-group" does not exist\n$/,
      ],
      [['-c', file], /^haverdict: this host: listen: no group "no-such-group" on this host\n$/],
    ] as const) {
      const { code, stderr } = await run(args, folder);
      assert.equal(code, 78);
      assert.match(stderr, line);
    }
  });

  for (const workers of [1, 2])
    it(`is made with a closed umask by whichever of ${workers + Number(workers > 1)} processes binds`, async (t) => {
      const folder = folderOf(t);
      const path = join(folder, 'agent.sock');
      const before = process.umask(0);
      const config = { listen: [{ unix: path }], backend: { url: 'http://127.0.0.1:1' }, workers };
      const starting = startAgentProcess(config, folder).finally(() => process.umask(before));
      const agent = await starting;
      // the first worker listens while the first process binds for another one, with a umask that is closed still more
      await until(
        () => workers === 1 || agent.lines.some((line) => line.includes('agent is listening with all workers')),
        () => agent.lines.join('\n'),
      );
      const children = readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, 'utf8').trim().split(' ');
      const pids = [agent.pid, ...(workers > 1 ? children : [])];
      assert.ok(pids.length >= workers);
      for (const pid of pids) assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Umask:\t0077$/m);
      assert.equal(statSync(path).mode & 0o777, 0o660);
      await agent.kill('SIGTERM');
    });
});

function configuration(t: TestContext, group = GROUP): { file: string; folder: string } {
  const folder = folderOf(t);
  const file = join(folder, 'haverdict.yaml');
  const listen = [{ unix: join(folder, 'agent.sock'), mode: '0660', group }];
  writeFileSync(file, JSON.stringify({ listen, backend: { url: 'http://127.0.0.1:8787' } }));
  return { file, folder };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'socket-access-'));
  chmodSync(folder, 0o777);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const groupId = () => new RegExp(`^${GROUP}:[^:]*:(\\d+)`, 'm').exec(readFileSync('/etc/group', 'utf8'))?.[1] ?? '';

/** `haverdict agent`, as ourselves or as nobody with these groups. */
function run(args: readonly string[], folder: string, groups?: readonly string[]) {
  const agent = [process.execPath, PROGRAM, 'agent', ...args];
  const other = [
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    ...(groups?.length === 0 ? ['--clear-groups'] : (groups ?? [])),
  ];
  const [command = '', ...rest] = groups === undefined ? agent : [...other, ...agent];
  return new Promise<{ code: unknown; stderr: string }>((resolve) =>
    execFile(command, rest, { cwd: folder, timeout: 20_000 }, (error, _stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stderr }),
    ),
  );
}
