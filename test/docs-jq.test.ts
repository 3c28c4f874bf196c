import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeNewer } from './support/scope.ts';

const ROOT = join(import.meta.dirname, '..');
/** What else a journal has: lines of systemd and Node, and lines that are JSON and no object. */
const OTHERS = [
  'Started haverdict.service',
  '<4>warning',
  '(node:1) Warning: x',
  '{"level":',
  '',
  '7',
  '"a"',
  'null',
  '[1]',
];
const LINES = [
  { level: 30, time: 't', msg: 'denied', ref: 'k3v9-1a', subject: 'ip:192.0.2.1', list: 'manual', reason: 'abuse' },
  { level: 40, time: 't', msg: 'backend answers in time again', lastedMs: 1500 },
].map((line) => JSON.stringify(line));

describeNewer('the commands with jq in the docs', () => {
  const commands = globSync('{README.md,docs/**/*.md}', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\bjq -?[^\n`]*'[^'\n]*'[^\n`]*/g)].map(([command]) => command),
  );

  it('are some', () => assert.ok(commands.length >= 4));

  for (const command of commands)
    it(`find their lines among others: ${command}`, () => {
      const input = [...OTHERS, LINES[0], ...OTHERS, LINES[1], ...OTHERS].join('\n');
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { input, encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /k3v9-1a|1\.5|"level": 40/);
    });
});
