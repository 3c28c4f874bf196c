import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';

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
