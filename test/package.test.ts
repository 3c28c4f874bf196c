import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
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
/** With all that haverdict depends on: the SDK for DynamoDB, the command line, the log. */
const MOST_PACKAGES = 90;
const MOST_SPOP_BYTES = 200_000;

describeNewer('the package as published', () => {
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'haverdict-package-'));
    // The dependencies are those of this checkout, so that this needs no network; npm takes them as already installed.
    const { stdout } = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root });
    for (const path of stdout.split('\n').filter((line) => line.includes('node_modules'))) {
      cpSync(path, join(folder, relative(root, path)), { recursive: true });
    }
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', await packed(root, folder)], { cwd: folder });
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

  it('brings nothing that only users of the CDK need', () => {
    for (const name of ['aws-cdk-lib', 'constructs']) assert.ok(!existsSync(join(folder, 'node_modules', name)), name);
    assert.ok(installedIn(folder).length <= MOST_PACKAGES, `${installedIn(folder).length} packages`);
  });

  it('has the units where the guide takes them from', () => {
    const guide = readFileSync(join(root, 'docs/guides/install.md'), 'utf8');
    const [, place = ''] = /^units=\$\(npm root --global\)\/(\S+)$/m.exec(guide) ?? [];
    const units = [...guide.matchAll(/"\$units\/([\w.]+)"/g)].map(([, unit = '']) => unit);
    assert.equal(units.length, 3);
    for (const unit of units) assert.ok(existsSync(join(folder, 'node_modules', place, unit)), unit);
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
          !/^(packaging\/systemd\/|dist\/(agent|blocklist|cli|config|contract|functions|haproxy|infra|spop|updates)\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(
            path,
          ),
      );
    assert.deepEqual(foreign, []);
  });
});

describeNewer('haverdict-spop as published', () => {
  let folder: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'haverdict-spop-package-'));
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    const tarball = await packed(join(root, 'spop'), folder);
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is one package of less than 200 kB, on the disk too', () => {
    assert.deepEqual(installedIn(folder), ['haverdict-spop']);
    const own = join(folder, 'node_modules', 'haverdict-spop');
    const files = globSync('**/*', { cwd: own, withFileTypes: true }).filter((entry) => entry.isFile());
    const sizes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)));
    const sum = (of: (stats: Stats) => number) => sizes.reduce((total, stats) => total + of(stats), 0);
    assert.ok(sum(({ size }) => size) < MOST_SPOP_BYTES, `${sum(({ size }) => size)} bytes`);
    assert.ok(
      sum(({ blocks }) => blocks * 512) < MOST_SPOP_BYTES,
      `${sum(({ blocks }) => blocks * 512)} bytes on the disk`,
    );
  });

  it('has the version of haverdict, a home, a licence and a README', () => {
    const ours = manifestOf(root);
    const { version, homepage, bugs, repository, license } = manifestOf(join(folder, 'node_modules/haverdict-spop'));
    assert.deepEqual(
      [version, bugs, repository?.url, license],
      [ours.version, ours.bugs, ours.repository?.url, ours.license],
    );
    assert.ok(homepage?.startsWith(ours.homepage?.split('#')[0] ?? '-'));
    for (const file of ['README.md', 'LICENSE'])
      assert.ok(existsSync(join(folder, 'node_modules/haverdict-spop', file)));
  });

  it('leaves nothing in the folder that it is packed from', () => {
    assert.deepEqual(
      ['dist', 'LICENSE'].filter((name) => existsSync(join(root, 'spop', name))),
      [],
    );
  });

  for (const [nth, name] of ['agent with a connection', 'agent with frames by hand'].entries())
    it(`runs the ${name} of docs/reference/spop.md as it is printed, whatever another peer sends`, async (t) => {
      const document = readFileSync(join(root, 'docs/reference/spop.md'), 'utf8');
      const code = [...document.matchAll(/```ts\n([\s\S]*?)```/g)][nth]?.[1] ?? '';
      const socket = join(folder, `agent-${nth}.sock`);
      writeFileSync(
        join(folder, `agent-${nth}.ts`),
        code.replace("listen(9000, '127.0.0.1')", `listen(${JSON.stringify(socket)})`),
      );
      const agent = spawn(process.execPath, [`agent-${nth}.ts`], {
        cwd: folder,
        stdio: ['ignore', 'inherit', 'ignore'],
      });
      t.after(() => agent.kill('SIGKILL'));
      while (!existsSync(socket)) await pause(20); // the program prints nothing when it listens
      const garbage = await Client.connect({ path: socket });
      garbage.socket.write('GET / HTTP/1.1\r\n\r\n');
      await garbage.closed();
      const haproxy = await Client.connect({ path: socket });
      haproxy.socket.write(hello());
      await haproxy.received(1);
      haproxy.socket.write(notify(1, 1, ['check', ['blocked', str('yes')]]));
      const [answer, ack] = await haproxy.received(2);
      haproxy.socket.destroy();
      assert.equal(answer?.type, FrameType.agentHello);
      assert.match(Buffer.from(ack?.payload ?? []).toString('latin1'), /action.*deny$/s);
    });
});

/** Packs the package in `from` and returns the name of the file in `folder`. */
async function packed(from: string, folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: from });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return filename;
}

/** The packages in a project, those of packages too. */
function installedIn(folder: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  return Object.keys(packages).flatMap((path) => (path === '' ? [] : [path.replace('node_modules/', '')]));
}

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly homepage?: string;
  readonly bugs?: string;
  readonly repository?: { readonly url: string };
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
