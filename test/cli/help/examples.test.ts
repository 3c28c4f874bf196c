import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { helpOf } from '../../support/help.ts';

const FOLDER = join(import.meta.dirname, '../../../cli/commands');
const COMMANDS = globSync('*.ts', { cwd: FOLDER }).map((file) => basename(file, '.ts'));

describe('the examples of a command', () => {
  for (const name of COMMANDS) {
    it(`are in its help and can be typed as they stand: ${name}`, async () => {
      const help = helpOf(await parserOf(name));
      const examples = examplesIn(help);
      assert.ok(examples.length > 0, help);
      for (const line of examples) {
        const [program, command, ...words] = wordsOf(line);
        assert.deepEqual([program, command], ['haverdict', name], line);
        await (await parserOf(name))
          .parseAsync(words, { from: 'user' })
          .catch((error) => assert.fail(`${line}: ${error}`));
      }
    });
  }
});

/** The command without what it does. */
async function parserOf(name: string): Promise<Command> {
  const module: Record<string, (every: () => Promise<Command[]>) => Command> = await import(join(FOLDER, `${name}.ts`));
  const make = Object.entries(module).find(([exported]) => exported.endsWith('Command'))?.[1];
  assert.ok(make, name);
  return harmless(make(async () => []));
}

function harmless(command: Command): Command {
  command.exitOverride().configureOutput({ writeErr() {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const inner of command.commands) harmless(inner);
  return command;
}

function examplesIn(help: string): string[] {
  const [, examples = ''] = help.split('\nExamples:\n');
  return examples
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** The words that our program is given: without what comes before or after it in a pipe, and without redirections. */
function wordsOf(line: string): string[] {
  const own = line.split(' | ').find((part) => part.startsWith('haverdict')) ?? '';
  const [command = ''] = own.split(/ [<>] /);
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}
