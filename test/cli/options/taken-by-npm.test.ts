import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { refuseTakenByNpm } from '../../../cli/options/taken-by-npm.ts';
import { everyCommand } from '../../../cli/program.ts';

const ROOT = new URL('../../../', import.meta.url);

describe('npm run haverdict without --', () => {
  it('is refused where npm keeps an option', () => {
    for (const [args, taken] of [
      [['sync', 'feed.txt', '--list', 'feed', '--dry-run'], '--list'],
      [['import', 'feed.txt', '--dry-run'], '--dry-run'],
      [['block', '203.0.113.7', '--for=1h'], '--for'],
      [['lists', 'print', '--count'], '--count'],
    ] as const) {
      const { status, stderr } = npmRun(...args);
      assert.equal(status, 2);
      const line = `haverdict: npm took ${taken} for itself: write npm run haverdict -- ${args[0]} … with -- in front`;
      assert.ok(stderr.includes(`${line}\n`), stderr);
    }
  });

  it('is not refused where the arguments are behind --', () => {
    const { status, stdout } = npmRun('--', 'contract', '--help');
    assert.equal(status, 0);
    assert.match(stdout, /Usage: haverdict contract/);
  });

  it('is told from another script, and from the settings that npm always gives', async () => {
    const always = ['cache', 'prefix', 'loglevel', 'user_agent', 'noproxy', 'yes', 'node_gyp', 'npm_version'];
    const env = Object.fromEntries(always.map((name) => [`npm_config_${name}`, 'x']));
    for (const command of await everyCommand()) {
      refuseTakenByNpm(command, { ...env, npm_lifecycle_event: 'haverdict' });
      refuseTakenByNpm(command, { npm_config_dry_run: 'true', npm_lifecycle_event: 'their-own' });
    }
  });
});

function npmRun(...args: string[]) {
  return spawnSync('npm', ['run', 'haverdict', ...args], { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
}
