import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, it } from 'node:test';
import { promisify } from 'node:util';
import { configSchema } from '../../config/json-schema.ts';
import { buildDeb } from '../../packaging/deb.ts';
import { tarballOf } from '../../packaging/tarball.ts';
import { describeNewer } from '../support/scope.ts';
import { Client } from '../support/spop/client.ts';
import { hello, ipv4, notify } from '../support/spop/naive-codec.ts';
import { TestRoot } from '../support/test-root.ts';

const run = promisify(execFile);
const CONFIGURATION = 'etc/haverdict/haverdict.yaml';
const EPOCH = 1_790_000_000;
const CHANGED = 'backend:\n  url: http://127.0.0.1:1/\n';

// One life, told in order: each step starts where the one before ended.
describeNewer('the Debian package', () => {
  let root: TestRoot;
  let built: string;
  let first: string;
  let second: string;

  before(async () => {
    root = new TestRoot();
    built = mkdtempSync(join(tmpdir(), 'haverdict-debs-'));
    first = await build('1.0.0', built);
    second = await build('1.1.0', built);
  });
  after(() => {
    root?.remove();
    rmSync(built, { recursive: true, force: true });
  });

  it('has the same bytes when it is built again', async () => {
    assert.equal(digest(await build('1.0.0', join(built, 'again'))), digest(first));
  });

  it('belongs to root, and nobody else may write to it', async () => {
    const { stdout } = await run('dpkg-deb', ['-c', first]);
    const lines = stdout.trim().split('\n');
    assert.deepEqual(
      lines.filter((line) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root\/root /.test(line)),
      [],
    );
    assert.deepEqual(
      lines.filter((line) => !/ \.\/($|etc\/|usr\/)/.test(line)),
      [],
    );
  });

  it('installs, with a user of its own, and starts and enables nothing', async () => {
    const told = await root.dpkg('--install', first);
    assert.match(told, /set backend\.url in \/etc\/haverdict\/haverdict\.yaml, then: systemctl enable --now haverdict/);
    assert.match(root.read('etc/passwd'), /^haverdict:.*:\/var\/lib\/haverdict:\/usr\/sbin\/nologin$/m);
    assert.deepEqual(enabled(root), []);
  });

  it('is run as haverdict, with the Node that it brings', async () => {
    assert.equal(readlinkSync(root.in('usr/bin/haverdict')), '../lib/haverdict/cli/main.js');
    assert.match(root.read('usr/lib/haverdict/cli/main.js'), /^#!\/usr\/lib\/haverdict\/node\n/);
    assert.ok(lstatSync(root.in('usr/lib/haverdict/node')).mode & 0o001);
    assert.equal((await haverdict(root, '--version')).trim(), '1.0.0');
    assert.match(await haverdict(root, 'contract', 'openapi'), /^openapi: 3\.1\.0\n/);
  });

  it('is also a tarball, whose program runs from where it is unpacked', async () => {
    const folder = join(built, 'unpacked');
    mkdirSync(folder);
    const tarball = tarballOf(first, EPOCH);
    const bytes = digest(tarball);
    const umask = process.umask(0o077);
    assert.equal(digest(tarballOf(first, EPOCH)), bytes, 'the same for another umask, later');
    process.umask(umask);
    await run('tar', ['-xzf', tarball, '-C', folder, '--strip-components', '1']);
    assert.equal((await run(join(folder, 'bin/haverdict'), ['--version'])).stdout, '1.0.0\n');
    const unit = readFileSync(join(folder, 'lib/systemd/system/haverdict.service'), 'utf8');
    assert.match(unit, /^ExecStart=\/usr\/local\/bin\/haverdict agent/m);
    assert.doesNotMatch(unit, /\/usr\/bin\/haverdict/);
    for (const file of [
      'share/haverdict/haverdict.yaml',
      'share/man/man1/haverdict.1.gz',
      'lib/sysusers.d/haverdict.conf',
    ])
      assert.ok(existsSync(join(folder, file)), file);
  });

  it('has the JSON Schema where its configuration names it for editors', () => {
    const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(root.read(CONFIGURATION)) ?? [];
    assert.equal(root.read(path.slice(1)), configSchema());
  });

  it('has beside it what it holds, with the Node as it is installed', () => {
    const { components, metadata } = JSON.parse(readFileSync(first.replace(/\.deb$/, '.cdx.json'), 'utf8'));
    assert.equal(metadata.component.purl, `pkg:deb/haverdict@1.0.0?arch=${/_(\w+)\.deb$/.exec(first)?.[1]}`);
    const [node] = components;
    assert.deepEqual(node.hashes, [{ alg: 'SHA-256', content: digest(root.in('usr/lib/haverdict/node')) }]);
    assert.equal(`v${node.version}`, process.version);
  });

  it('says in one line what its configuration lacks at first', async () => {
    const { code, stderr } = await haverdict(root, 'agent', '--check', '-c', root.in(CONFIGURATION)).then(
      () => assert.fail('a backend is needed'),
      (error) => error,
    );
    assert.equal(code, 78);
    assert.match(stderr, /\n\S+haverdict\.yaml:\d+:\d+: backend\.url: must be set: [^\n]+\n$/);
  });

  it('runs with the first configuration once the URL is there', async () => {
    const file = join(root.path, 'tmp/with-url.yaml');
    writeFileSync(
      file,
      root.read(CONFIGURATION).replace('#url: https://function-url.example/', 'url: http://127.0.0.1:1/'),
    );
    assert.match(await haverdict(root, 'agent', '--check', '-c', file), /: ok\n/);
  });

  it('answers HAProxy, with signed calls, in several processes, by a script in one more', {
    timeout: 30_000,
  }, async (t) => {
    const folder = root.in('tmp');
    writeFileSync(
      join(folder, 'script.mjs'),
      `export default { check: () => ({ action: 'deny', reason: 'by script' }) };`,
    );
    const config = {
      listen: [{ unix: join(folder, 'agent.sock') }],
      backend: { url: 'http://127.0.0.1:1', auth: 'iam', region: 'eu-central-1' },
      workers: 2,
      script: 'script.mjs',
      deadlineMs: 2000,
      messages: { check: { subjects: { ip: 'src' } } },
    };
    writeFileSync(join(folder, 'script.yaml'), JSON.stringify(config)); // JSON is YAML
    const agent = spawn(...installed(root, 'agent', '-c', join(folder, 'script.yaml')), {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { AWS_ACCESS_KEY_ID: 'of a test', AWS_SECRET_ACCESS_KEY: 'of a test' },
    });
    const exited = once(agent, 'exit');
    t.after(async () => {
      agent.kill('SIGTERM');
      assert.deepEqual(await exited, [0, null]);
    });
    for await (const line of createInterface(agent.stdout)) {
      assert.doesNotMatch(line, /credentials|cannot/);
      if (/listening with all workers/.test(line)) break;
    }
    agent.stdout.resume();
    const haproxy = await Client.connect({ path: join(folder, 'agent.sock') });
    t.after(() => haproxy.socket.destroy());
    haproxy.socket.write(hello());
    await haproxy.received(1);
    haproxy.socket.write(notify(1, 1, ['check', ['ip', ipv4(203, 0, 113, 7)]]));
    const [, ack] = await haproxy.received(2);
    assert.match(Buffer.from(ack?.payload ?? []).toString('latin1'), /deny.*by script/s);
  });

  it('is upgraded, and the changed configuration stays', async () => {
    root.write(CONFIGURATION, CHANGED);
    await root.dpkg('--install', second);
    assert.equal((await haverdict(root, '--version')).trim(), '1.1.0');
    assert.equal(root.read(CONFIGURATION), CHANGED);
  });

  it('leaves its configuration when it is removed, and is no longer enabled', async () => {
    await run('systemctl', [`--root=${root.path}`, 'enable', 'haverdict.service', 'haverdict.socket']);
    assert.equal(enabled(root).length, 2);
    await root.dpkg('--remove', 'haverdict');
    assert.ok(!existsSync(root.in('usr/lib/haverdict')));
    assert.equal(root.read(CONFIGURATION), CHANGED);
    assert.deepEqual(enabled(root), []);
  });

  it('leaves nothing when it is purged', async () => {
    mkdirSync(root.in('var/lib/haverdict'), { recursive: true });
    root.write('var/lib/haverdict/cache', 'what the agent knew');
    root.write('etc/haverdict/aws-credentials', 'a file of the operator');
    await root.dpkg('--purge', 'haverdict');
    assert.deepEqual(root.traces(), []);
    assert.doesNotMatch(root.read('var/lib/dpkg/status'), /haverdict/);
  });
});

function build(version: string, folder: string): Promise<string> {
  return buildDeb({ version, epochSeconds: EPOCH, compression: 'none', folder });
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** The program and its arguments: what `haverdict` is in the root, whose paths are not those of this system. */
function installed(root: TestRoot, ...args: readonly string[]): [string, string[]] {
  return [root.in('usr/lib/haverdict/node'), [root.in('usr/lib/haverdict/cli/main.js'), ...args]];
}

async function haverdict(root: TestRoot, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(...installed(root, ...args), { env: { AWS_REGION: 'eu-central-1' } });
  return stdout;
}

function enabled(root: TestRoot): string[] {
  return globSync('etc/systemd/system/*.wants/*', { cwd: root.path });
}
