import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FrameType } from '../spop/frame.ts';
import { describeNewer } from './support/scope.ts';
import { Client } from './support/spop/client.ts';
import { hello, notify, str } from './support/spop/naive-codec.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

describeNewer('the package as published', () => {
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'haverdict-package-'));
    // The dependencies are those of this checkout, so that this needs no network; npm takes them as already installed.
    const { stdout } = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root });
    for (const path of stdout.split('\n').filter((line) => line.includes('node_modules'))) {
      cpSync(path, join(folder, relative(root, path)), { recursive: true });
    }
    const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root });
    const [{ filename }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[')));
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', filename], { cwd: folder });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('installs and runs haverdict --version', async () => {
    const { stdout } = await run(join(folder, 'node_modules', '.bin', 'haverdict'), ['--version']);
    assert.equal(stdout.trim(), JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  });

  it('loads haverdict/spop without any dependency', async () => {
    const script =
      "import { FrameReader, SpopStatus } from 'haverdict/spop'; new FrameReader(16); console.log(SpopStatus.timeout)";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
    assert.equal(stdout.trim(), '2');
  });

  for (const [nth, name] of ['smallest agent', 'agent with a connection'].entries())
    it(`runs the ${name} of docs/reference/spop.md as it is printed`, async (t) => {
      const document = readFileSync(join(root, 'docs/reference/spop.md'), 'utf8');
      const code = [...document.matchAll(/```ts\n([\s\S]*?)```/g)][nth]?.[1] ?? '';
      const socket = join(folder, `agent-${nth}.sock`);
      writeFileSync(
        join(folder, `agent-${nth}.ts`),
        code.replace("listen(9000, '127.0.0.1')", `listen(${JSON.stringify(socket)})`),
      );
      const agent = spawn(process.execPath, [`agent-${nth}.ts`], { cwd: folder, stdio: 'inherit' });
      t.after(() => agent.kill('SIGKILL'));
      while (!existsSync(socket)) await pause(20); // the program prints nothing when it listens
      const haproxy = await Client.connect({ path: socket });
      haproxy.socket.write(hello());
      await haproxy.received(1);
      haproxy.socket.write(notify(1, 1, ['check', ['blocked', str('yes')]]));
      const [answer, ack] = await haproxy.received(2);
      haproxy.socket.destroy();
      assert.equal(answer?.type, FrameType.agentHello);
      assert.match(Buffer.from(ack?.payload ?? []).toString('latin1'), /action.*deny$/s);
    });

  it('checks a config file', async () => {
    const file = join(folder, 'haverdict.yaml');
    writeFileSync(file, 'backend:\n  url: http://127.0.0.1:8787\n');
    const { stdout } = await run(join(folder, 'node_modules', '.bin', 'haverdict'), ['agent', '--check', '-c', file]);
    assert.match(stdout, /: ok\n/);
  });

  it('carries no test, no demo and nothing of a checkout', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const foreign = files
      .map(({ path }) => path)
      .filter(
        (path) =>
          !/^(dist\/(agent|blocklist|cli|config|contract|functions|haproxy|infra|spop|updates)\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(
            path,
          ),
      );
    assert.deepEqual(foreign, []);
  });
});
