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
    'reload the configuration of the running agent, and report the result',
  );
  addSocketOption(command)
    .option('--json', 'print a JSON object')
    .action(async (options: ReloadOptions) => {
      const result = await askAgent(await socketPath(options, process.env), { command: 'reload' });
      if (options.json) return printJson(result);
      await printLine(`configuration reloaded${restartText(result.needsRestart)}`);
    });
  return addExamples(command, 'haverdict reload', 'haverdict reload -c haverdict.yaml');
}

function restartText(settings: readonly string[]): string {
  return settings.length === 0 ? '' : `, except ${settings.join(', ')}: restart the agent to apply that`;
}
