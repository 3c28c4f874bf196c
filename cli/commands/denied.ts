import { Command } from 'commander';
import { type AgentAddress, readAgents } from '../agent-client/agent-address.ts';
import { type AgentDenies, askDenies } from '../agent-client/agent-denies.ts';
import { addSocketOption, type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { printJson, printLine } from '../output/output.ts';
import { printTable } from '../output/table.ts';

interface DeniedOptions extends SocketOptions {
  readonly agents?: AgentAddress[];
  readonly json?: true;
}

const COLUMNS = ['AT', 'ACTION', 'CLIENT', 'ENTRY', 'LIST', 'REASON', 'REF'] as const;

export function deniedCommand(): Command {
  const command = new Command('denied')
    .description('print what agents denied lately, newest first')
    .option(
      '--agents <addresses>',
      'these agents: their admin.listen or admin.socket (default: the one of this host)',
      readAgents,
    )
    .option('--json', 'print a JSON array');
  return addExamples(
    addSocketOption(command),
    'haverdict denied',
    'haverdict denied --agents 10.0.0.1:9101,10.0.0.2:9101 --json',
  ).action(denied);
}

async function denied(options: DeniedOptions): Promise<void> {
  const found = await askDenies(options.agents ?? readAgents(await socketPath(options, process.env)));
  if (options.json) await printJson(found);
  else for (const one of found) await printDenies(one);
  const [first, ...more] = found.flatMap((one) => ('problem' in one ? one.problem : []));
  if (first !== undefined)
    throw new CliError(EXIT.failed, `${first}${more.length === 0 ? '' : ` (and ${more.length} more)`}`);
}

async function printDenies(one: AgentDenies): Promise<void> {
  if ('problem' in one) return; // said at the end
  const { agent, host, recent } = one;
  await printLine(`${host} (${agent})${recent.length === 0 ? ' denied nothing lately' : ''}`);
  if (recent.length === 0) return;
  const cells = recent.map(({ at, action, client = '', subject, list, reason, ref }) => [
    ...[at, action, client, subject, list, reason, ref],
  ]);
  await printTable(COLUMNS, cells);
}
