import { Argument, Command } from 'commander';
import { LOG_LEVELS } from '../../config/schema.ts';
import type { LogLevel } from '../../config/settings.ts';
import { askAgent } from '../agent-client/agent-client.ts';
import { addSocketOption, type SocketOptions, socketPath } from '../agent-client/socket-option.ts';
import { addExamples } from '../help/examples.ts';
import { printJson, printLine } from '../output/output.ts';

interface LogLevelOptions extends SocketOptions {
  readonly json?: true;
}

export function logLevelCommand(): Command {
  const command = new Command('log-level')
    .description('change the log level of the running agent until its next reload')
    .addArgument(new Argument('<level>', 'the least severe level to log').choices(LOG_LEVELS));
  addSocketOption(command)
    .option('--json', 'print a JSON object')
    .action(async (level: LogLevel, options: LogLevelOptions) => {
      const result = await askAgent(await socketPath(options, process.env), { command: 'log-level', level });
      if (options.json) return printJson(result);
      await printLine(`log level ${result.level} until the next reload`);
    });
  return addExamples(
    command,
    'haverdict log-level debug',
    'haverdict log-level info --socket /run/haverdict/admin.sock',
  );
}
