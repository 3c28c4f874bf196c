import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SHELLS, type Shell } from '../../../cli/help/completion.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { SCOPE } from '../../support/scope.ts';

describe('haverdict completion', () => {
  // Only bash is everywhere.
  for (const shell of SCOPE === 'all' ? SHELLS : (['bash'] as const))
    it(`prints a script that ${shell} takes`, async (t) => {
      const { status, stderr } = spawnSync(shell, ['-n', await scriptFor(shell, t)], { encoding: 'utf8' });
      assert.deepEqual([status, stderr], [0, '']);
    });

  it('completes commands, options of a command, and the commands of help, in a real bash', async (t) => {
    const script = await scriptFor('bash', t);
    assert.match(inBash(script, 'complete -p haverdict'), /-F _haverdict haverdict/);
    assert.deepEqual(completed(script, 'haverdict', 'bl'), ['block']);
    assert.deepEqual(completed(script, 'haverdict', 'explain', '--me'), ['--message']);
    assert.deepEqual(completed(script, 'haverdict', 'help', 'li'), ['list', 'lists', 'lint']);
    assert.deepEqual(completed(script, 'haverdict', 'block', '203'), []);
    assert.ok(completed(script, 'haverdict', '').includes('help'));
    assert.ok(completed(script, 'haverdict', 'block', '--').includes('--force'));
  });

  it('refuses another shell with exit code 2', async () => {
    const { status, stderr } = await runHaverdict('completion', 'tcsh');
    assert.equal(status, 2);
    assert.match(stderr, /Allowed choices are bash, zsh, fish/);
  });
});

function completed(script: string, ...words: readonly string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _haverdict; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return inBash(script, ask)
    .split('\n')
    .filter((word) => word !== '');
}

function inBash(script: string, command: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', `. '${script}'; ${command}`], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

async function scriptFor(shell: Shell, t: TestContext): Promise<string> {
  const { status, stdout } = await runHaverdict('completion', shell);
  assert.equal(status, 0);
  const path = join(temporaryFolder(t), shell);
  writeFileSync(path, stdout);
  return path;
}
