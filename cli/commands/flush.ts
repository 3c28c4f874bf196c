import { Command } from 'commander';
import type { Flushed } from '../../agent/admin/socket/protocol.ts';
import { askAgent } from '../agent-client/agent-client.ts';
import { addSocketOption, type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { readSubjects } from '../options/arguments.ts';
import { printJson, printLine } from '../output/output.ts';

interface FlushOptions extends SocketOptions {
  readonly all?: true;
  readonly json?: true;
}

export function flushCommand(): Command {
  const command = new Command('flush')
    .description('remove subjects from the cache of the running agent')
    .argument('[subject...]', 'an address, or kind:value')
    .option('--all', 'remove everything');
  addSocketOption(command).option('--json', 'print a JSON object').action(flush);
  return addExamples(command, 'haverdict flush 203.0.113.7 host:shop.example', 'haverdict flush --all');
}

async function flush(subjects: string[], options: FlushOptions): Promise<void> {
  const hasSubjects = subjects.length > 0;
  if (hasSubjects && options.all) throw usageError('name subjects or use --all, not both');
  if (!hasSubjects && !options.all) throw usageError('name the subjects to remove, or use --all');
  const what = hasSubjects ? { subjects: readSubjects(subjects) } : ({ all: true } as const);
  const flushed = await askAgent(await socketPath(options, process.env), { command: 'flush', ...what });
  if (options.json) return printJson(flushed);
  await print(flushed);
}

async function print({ forgotten, unknown }: Flushed): Promise<void> {
  await printLine(`removed from the cache: ${forgotten}`);
  for (const subject of unknown) await printLine(`not cached: ${subject}`);
}
