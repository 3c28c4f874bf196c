#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { CliError, EXIT } from './cli-error.ts';
import { agentCommand } from './commands/agent.ts';
import { allowCommand } from './commands/allow.ts';
import { blockCommand } from './commands/block.ts';
import { listCommand } from './commands/list.ts';
import { removeCommand } from './commands/remove.ts';
import { showCommand } from './commands/show.ts';
import { wiringCommand } from './commands/wiring.ts';

const COMMANDS = [agentCommand, wiringCommand, blockCommand, allowCommand, removeCommand, showCommand, listCommand];

process.stdout.on('error', endOfReader);
process.exitCode = await run(process.argv);

async function run(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv);
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has printed already
    process.stderr.write(`haverdict: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof CliError ? error.exitCode : EXIT.failed;
  }
}

function program(): Command {
  const all = new Command('haverdict')
    .description('lets HAProxy ask a DynamoDB blocklist about every request')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`haverdict: ${oneLine(text)}\n`) });
  for (const command of COMMANDS) all.addCommand(command().copyInheritedSettings(all));
  return all;
}

/** The package's own name finds its package.json from the source, from dist/ and from wherever it is installed. */
function version(): string {
  return createRequire(import.meta.url)('haverdict/package.json').version;
}

function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
}

/** `haverdict list | head` closes its end early; that is no failure of ours. */
function endOfReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
}
