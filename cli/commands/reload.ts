import { Command } from 'commander';
import { askAgent } from '../agent-client/agent-client.ts';
import { addSocketOption, type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { addExamples } from '../help/examples.ts';
import { printJson, printLine } from '../output/output.ts';

interface ReloadOptions extends SocketOptions {
  readonly json?: true;
}

export function reloadCommand(): Command {
  const command = new Command('reload').description(
    'have the running agent read its configuration again, and say how that went',
  );
  addSocketOption(command)
    .option('--json', 'print a JSON object')
    .action(async (options: ReloadOptions) => {
      const result = await askAgent(await socketPath(options, process.env), { command: 'reload' });
      if (options.json) return printJson(result);
      await printLine('the new configuration is in force');
    });
  return addExamples(command, 'haverdict reload', 'haverdict reload -c /etc/haverdict/haverdict.yaml');
}
