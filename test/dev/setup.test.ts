import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/config-file.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the setup of a checkout', () => {
  it('tells a fresh one what to run before the command line can be used', (t) => {
    const { status, stderr } = setup(checkout(t), '--is-done');
    assert.equal(status, 1);
    assert.match(stderr, /^haverdict: this checkout is not set up: run "npm run setup" first.*\n$/);
  });

  it('has nothing to say where all is in place', (t) => {
    const folder = checkout(t, 'with packages');
    for (const flags of [['--is-done'], []])
      assert.deepEqual(setup(folder, ...flags), { status: 0, stdout: '', stderr: '' });
  });

  it('is to be done again when the lock file has changed', (t) => {
    const folder = checkout(t, 'with packages');
    writeFileSync(join(folder, 'package-lock.json'), '{}');
    assert.equal(setup(folder, '--is-done').status, 1);
  });

  for (const flag of ['--tests', '--newer', '--all'])
    it(`${flag}: names every program that is missing, and how to get it where it cannot`, (t) => {
      const { status, stderr } = setup(checkout(t, 'with packages'), flag);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^haverdict setup: [\w, -]+ (is|are) missing and apt-get is not available: install by hand \(.* sudo apt-get install [\w -]+\), then run the same command again\n$/,
      );
    });
});

/** The files that setup reads, in a folder of their own. */
function checkout(t: TestContext, packages?: 'with packages'): string {
  const folder = temporaryFolder(t);
  for (const file of ['dev/setup.mjs', 'package-lock.json']) cpSync(join(ROOT, file), join(folder, file));
  if (packages !== undefined) {
    mkdirSync(join(folder, 'node_modules'));
    const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
    writeFileSync(join(folder, 'node_modules/.haverdict-setup'), hash.digest('hex'));
  }
  return folder;
}

/** As on a machine with hardly a program but Node. */
function setup(folder: string, ...flags: readonly string[]) {
  const options = { encoding: 'utf8', env: { PATH: folder } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'dev/setup.mjs'), ...flags], options);
  return { status, stdout, stderr };
}
