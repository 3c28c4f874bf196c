import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { PROGRAM } from '../../dev/program-path.ts';

const run = promisify(execFile);
const UNITS = join(import.meta.dirname, '../../packaging/systemd');

describe('the systemd units', () => {
  for (const unit of ['haverdict.service', 'haverdict.socket']) {
    it(`${unit} has nothing that systemd does not understand`, async (t) => {
      const root = systemWith(t, '/usr/bin/haverdict', '/bin/kill');
      const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', `--root=${root}`, unit]);
      assert.equal(stdout + stderr, '');
    });
  }

  it('keep the agent to what it needs: an exposure of 2.0 at most', async () => {
    const service = join(UNITS, 'haverdict.service');
    const { stdout } = await run('systemd-analyze', [
      'security',
      '--offline=yes',
      '--threshold=20',
      '--no-pager',
      service,
    ]);
    assert.match(stdout, /Overall exposure level for haverdict\.service: [01]\.\d|: 2\.0/);
  });

  it('check the configuration before they start, and before they signal a reload', () => {
    const service = readFileSync(join(UNITS, 'haverdict.service'), 'utf8');
    const commands = (name: string) =>
      [...service.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, line]) => line);
    const [start = ''] = commands('ExecStart');
    const check = start.replace(' agent ', ' agent --check ');
    assert.deepEqual(commands('ExecStartPre'), [check]);
    assert.deepEqual(commands('ExecReload'), [check, '/bin/kill -HUP $MAINPID']);
  });

  it('reload by commands that end with 78, and do not signal, for a wrong configuration', async (t) => {
    const service = readFileSync(join(UNITS, 'haverdict.service'), 'utf8');
    const reload = [...service.matchAll(/^ExecReload=(.*)$/gm)].map(([, line = '']) => line);
    const program = `${process.execPath} ${PROGRAM}`;
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-reload-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'haverdict.yaml');
    // as systemd does it: one after the other, until one fails
    const script = reload
      .map((line) => line.replace('/usr/bin/haverdict', program).replace('/etc/haverdict/haverdict.yaml', file))
      .map((line) => line.replace('/bin/kill -HUP $MAINPID', 'echo signalled'))
      .join(' && ');
    writeFileSync(file, 'backend: { ulr: http://127.0.0.1:1 }\n');
    const wrong = await run('sh', ['-c', script]).catch((error) => error);
    assert.deepEqual([wrong.code, wrong.stdout], [78, '']);
    assert.match(wrong.stderr, /backend\.ulr: unknown setting, did you mean url\?/);
    writeFileSync(file, 'backend: { url: http://127.0.0.1:1 }\n');
    assert.match((await run('sh', ['-c', script])).stdout, /: ok\n[\s\S]*^signalled\n$/m);
  });

  it('bound memory as --check says for the first configuration, and threads above what any has', async (t) => {
    const service = readFileSync(join(UNITS, 'haverdict.service'), 'utf8');
    const folder = mkdtempSync(join(tmpdir(), 'haverdict-memory-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const memoryMax = async (more: string) => {
      const first = readFileSync(join(UNITS, '../debian/haverdict.yaml'), 'utf8');
      const withUrl = first.replace(
        '#url: https://function-url.example/',
        'url: https://127.0.0.1/\n  region: eu-central-1',
      );
      writeFileSync(join(folder, 'haverdict.yaml'), `${withUrl}\n${more}`);
      const check = [PROGRAM, 'agent', '--check', '-c', join(folder, 'haverdict.yaml')];
      return /^ +uses at most (\d+) MB: (MemoryMax=\1M)$/m.exec((await run(process.execPath, check)).stdout)?.[2];
    };
    const [set, tasks] = [/^MemoryMax=.*$/m.exec(service)?.[0], Number(/^TasksMax=(\d+)$/m.exec(service)?.[1])];
    assert.equal(await memoryMax(''), set);
    assert.equal(await memoryMax('workers: 2'), 'MemoryMax=2712M');
    assert.ok(tasks > 65 * 11 + 64 * 9, `${tasks}`);
  });

  it('let V8 compile, and let the agent use unix sockets', () => {
    const service = readFileSync(join(UNITS, 'haverdict.service'), 'utf8');
    assert.doesNotMatch(service, /^MemoryDenyWriteExecute/m);
    assert.match(service, /^RestrictAddressFamilies=.*\bAF_UNIX\b/m);
  });
});

/** A root with the units and with programs where these are looked for. */
function systemWith(t: TestContext, ...programs: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'haverdict-units-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(UNITS, join(root, 'usr/lib/systemd/system'), { recursive: true });
  cpSync('/usr/lib/systemd/system', join(root, 'usr/lib/systemd/system'), { recursive: true, verbatimSymlinks: true });
  for (const program of programs) {
    mkdirSync(dirname(join(root, program)), { recursive: true });
    writeFileSync(join(root, program), '#!/bin/sh\n', { mode: 0o755 });
  }
  return root;
}
