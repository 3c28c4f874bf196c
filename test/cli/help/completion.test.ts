import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SHELLS, type Shell } from '../../../cli/help/completion.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { runHaverdict } from '../../support/haverdict.ts';
import { describeNewer, hasNewer } from '../../support/scope.ts';

describe('haverdict completion', () => {
  // Only bash is everywhere.
  for (const shell of hasNewer ? SHELLS : (['bash'] as const))
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

describeNewer('what a shell completes', () => {
  for (const shell of SHELLS)
    it(`completes subcommands, values and their options in a real ${shell}`, async (t) => {
      const script = await scriptFor(shell, t);
      for (const [words, some] of Object.entries(COMPLETED)) {
        const found = ASKED[shell](script, words.split(' '));
        if (some.length === 0) assert.deepEqual(found, [], words);
        for (const word of some) assert.ok(found.includes(word), `${words}: ${found}`);
      }
    });
});

/** Some of what is completed for the last word; where nothing is named, nothing is. */
const COMPLETED = {
  'haverdict ': ['block', 'help'],
  'haverdict block --action ': ['tarpit', 'redirect'],
  'haverdict block --status ': ['403', '429'],
  'haverdict block --list ': [],
  'haverdict block 192.0.2.1 --': ['--action', '--for'],
  'haverdict lists ': ['create', 'delete'],
  'haverdict lists create --': ['--description'],
  'haverdict log-level ': ['debug', 'warn'],
  'haverdict completion ': [...SHELLS],
  'haverdict doctor --haproxy-version ': ['3.2'],
} as const satisfies Record<string, readonly string[]>;

const ASKED: Record<Shell, (script: string, words: readonly string[]) => string[]> = {
  bash: (script, words) => completed(script, ...words),
  // the function is run as zsh does for a key, with what it adds printed
  zsh: (script, words) =>
    linesOf('zsh', [
      '-fc',
      `compdef() { :; }; compset() { :; }; _files() { print FILES; }
       compadd() { shift; print -l -- "$@"; }; _describe() { print -l -- \${\${(P)2}%%:*}; }
       . ${script}; words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; _haverdict`,
    ]),
  fish: (script, words) =>
    linesOf('fish', ['--no-config', '-c', `source ${script}; complete -C '${words.join(' ')}' | string split -f1 \\t`]),
};

function linesOf(program: string, args: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

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
