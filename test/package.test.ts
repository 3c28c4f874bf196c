import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { compiles, installedIn, link, packed, SETUPS, writeExamples } from './support/installed-package.ts';
import { describeNewer } from './support/scope.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
/** With all that haverdict depends on: the SDK for DynamoDB, the command line, the log. */
const MOST_PACKAGES = 90;

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

  it('serves the page of the console', async () => {
    const program = join(folder, 'node_modules/haverdict/dist/cli/main.js');
    const child = spawn(process.execPath, [program, 'console'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) if (lines.push(line) === 2) break;
    const [, link = ''] = lines;
    const { headers } = await fetch(link, { redirect: 'manual' });
    const page = await fetch(new URL('/', link), { headers: { cookie: headers.get('set-cookie') ?? '' } });
    assert.match(await page.text(), /<title>haverdict console<\/title>/);
    child.kill('SIGINT'); // its standard input stays open
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('checks a config file', async () => {
    const file = join(folder, 'haverdict.yaml');
    writeFileSync(file, 'backend:\n  url: http://127.0.0.1:8787\n');
    const { stdout } = await run(join(folder, 'node_modules', '.bin', 'haverdict'), ['agent', '--check', '-c', file]);
    assert.match(stdout, /: ok\n/);
  });

  describe('has types', () => {
    before(() => {
      writeExamples('agent/scripts/script-types.ts', folder);
      writeFileSync(
        join(folder, 'spop.mts'),
        "import { createAgent } from 'haverdict/spop';\nvoid createAgent({}).close();\n",
      );
      for (const name of ['@types/node', 'undici-types']) link(folder, name);
    });

    compiles(() => folder, SETUPS);
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
