import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { loadSettings } from '../../config/load.ts';
import { freePort } from '../../dev/free-port.ts';
import { SPOE_FILE, startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { PROGRAM } from '../../dev/program-path.ts';
import { examine } from '../../haproxy/doctor/doctor.ts';
import { readInstallation } from '../../haproxy/doctor/installation.ts';
import { markedSpoeFile } from '../../haproxy/generate/fragment.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { filled } from '../support/example-sites.ts';
import { startOrigin } from '../support/origin.ts';
import { statusesOf } from '../support/raw-http.ts';
import { isRoot } from '../support/scope.ts';
import { startTableFunction } from '../support/table-function.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const UNIT = readFileSync(join(root, 'packaging/systemd/haverdict.socket'), 'utf8');
const LISTED = '127.2.0.7';
const OTHER = '127.2.0.8';
/** The user of the unit has no other rights than this one. */
const NOBODY = 65534;
const GROUP = 'haproxy';
const DEADLINE_MS = 10_000;

// Only root can start HAProxy so that it becomes another user in another root, and the agent as the user of its unit.
if (isRoot)
  describeOnEveryHaproxy('the examples for a socket', (build) => {
    it('group: the agent gives its socket to HAProxy’s group, by the right that the drop-in gives it', async (t) => {
      const place = await placeOf(t, build, 'group');
      const dropIn = readFileSync(join(root, 'docs/examples/socket/group/haverdict.conf'), 'utf8');
      const guide = readFileSync(join(root, 'docs/guides/haproxy.md'), 'utf8');
      assert.ok(guide.includes(dropIn.slice(dropIn.indexOf('[Service]'))), 'the guide has the drop-in');
      const folder = dirname(place.socket);
      mkdirSync(folder); // RuntimeDirectory of the unit
      chownSync(folder, NOBODY, NOBODY);
      start(t, 'setpriv', [...asUnit(settingOf(dropIn, 'SupplementaryGroups')), ...place.agent]);
      await holds(t, place);
      assert.deepEqual([modeOf(place.socket), statSync(place.socket).uid], [0o660, NOBODY]);
    });

    it('chroot: systemd opens the socket in it, as the unit of the package says', async (t) => {
      const place = await placeOf(t, build, 'chroot');
      const documented = parse(readFileSync(join(root, 'docs/examples/socket/chroot/haverdict.yaml'), 'utf8'));
      assert.equal(settingOf(UNIT, 'ListenStream'), documented.listen[0].unix);
      mkdirSync(dirname(place.socket), { recursive: true });
      // started by the first connection, which is a health check
      const command = ['/usr/bin/setpriv', ...asUnit(), ...place.agent];
      start(t, 'systemd-socket-activate', ['-l', place.socket, ...command]);
      await until(
        () => existsSync(place.socket),
        () => 'systemd opens no socket',
      );
      chownSync(place.socket, 0, groupId(settingOf(UNIT, 'SocketGroup')));
      chmodSync(place.socket, Number.parseInt(settingOf(UNIT, 'SocketMode'), 8));
      await holds(t, place);
      assert.match(place.config, /^ {4}server agent1 unix@\/run\/haverdict\/agent\.sock check /m);
    });
  });

interface Place {
  readonly build: HaproxyBuild;
  readonly port: number;
  /** The arguments of Node. */
  readonly agent: readonly string[];
  readonly socket: string;
  readonly config: string;
  readonly findings: readonly unknown[];
}

/** The files of an example with the wiring in its places; what is outside of /etc is in a folder of this machine. */
async function placeOf(t: TestContext, build: HaproxyBuild, name: string): Promise<Place> {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const [table, origin, port] = await Promise.all([startTableFunction(), startOrigin('app'), freePort()]);
  t.after(() => Promise.all([table.close(), origin.close()]));
  table.type({ subject: `ip:${LISTED}`, action: 'deny' });
  const written = (file: string) =>
    readFileSync(join(root, 'docs/examples/socket', name, file), 'utf8')
      .replaceAll('/var/lib/haproxy', join(folder, 'root'))
      .replaceAll('unix: /run/', `unix: ${folder}/`)
      .replace('bind :80', `bind 127.0.0.1:${port}`)
      .replace('192.0.2.20:80', `127.0.0.1:${origin.port}`);
  mkdirSync(join(folder, 'root'));
  const file = join(folder, 'haverdict.yaml');
  const yaml = parse(written('haverdict.yaml'));
  const backend = { url: table.url, timeoutMs: DEADLINE_MS };
  writeFileSync(
    file,
    stringify({ ...yaml, backend, deadlineMs: DEADLINE_MS, haproxy: { ...yaml.haproxy, version: build.version } }),
  );
  const settings = loadSettings(file, {});
  const [socket] = settings.listen;
  assert.ok(socket?.type === 'unix');
  const spoePath = join(folder, SPOE_FILE);
  writeFileSync(spoePath, markedSpoeFile(settings));
  const config = filled(written('haproxy.cfg'), settings, spoePath);
  const read = (path: string) =>
    path.endsWith('/haverdict.socket') ? unit : existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const unit = name === 'group' ? '' : UNIT.replaceAll('/var/lib/haproxy', join(folder, 'root')); // masked
  const isSocket = (path: string) => statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  const installation = readInstallation(settings, [{ file: 'haproxy.cfg', text: config }], { read, isSocket });
  const agent = [process.execPath, PROGRAM, 'agent', '-c', file];
  return { build, port, agent, socket: socket.path, config, findings: examine(installation) };
}

/** HAProxy finds the agent, a listed client is denied and another is not; and doctor has nothing to say. */
async function holds(t: TestContext, { build, port, config, findings }: Place): Promise<void> {
  const haproxy = await startHaproxy({ config, binary: build.binary });
  t.after(() => haproxy.stop());
  const statuses = (from: string) => statusesOf({ port, from, requests: [[]] });
  // the policy is open: until the agent is there, everybody passes
  await until(
    async () => (await statuses(LISTED))[0] === 403,
    () => haproxy.lines.slice(-5).join('\n'),
  );
  assert.deepEqual(await statuses(OTHER), [200]);
  assert.deepEqual(findings, []);
}

/** User, group and rights as in haverdict.service. */
function asUnit(group?: string): string[] {
  const groups = group === undefined ? '--clear-groups' : `--groups=${groupId(group)}`;
  return [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, groups, '--bounding-set=-all', '--no-new-privs'];
}

function start(t: TestContext, program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return child;
}

function settingOf(unit: string, name: string): string {
  const [, value] = new RegExp(`^${name}=(.*)$`, 'm').exec(unit) ?? [];
  assert.ok(value !== undefined, name);
  return value;
}

function groupId(name: string): number {
  assert.equal(name, GROUP);
  return Number(new RegExp(`^${name}:[^:]*:(\\d+)`, 'm').exec(readFileSync('/etc/group', 'utf8'))?.[1]);
}

const modeOf = (path: string) => statSync(path).mode & 0o777;
