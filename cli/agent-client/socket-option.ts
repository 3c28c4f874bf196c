import type { Command } from 'commander';
import { usageError } from '../exit/cli-error.ts';
import { addConfigOption, type ConfigOptions, readSettings } from '../options/config-option.ts';

/** The path in the Debian package. */
const DEFAULT_SOCKET = '/run/haverdict/admin.sock';

export interface SocketOptions extends ConfigOptions {
  readonly socket?: string;
}

/** `--socket PATH`, or `-c FILE` for the one that a configuration names. */
export function addSocketOption(command: Command): Command {
  return addSocketPathOption(addConfigOption(command));
}

/** `--socket PATH` alone, for a command that has `-c` already. */
export function addSocketPathOption(command: Command): Command {
  return command.option(
    '--socket <path>',
    `the agent's admin.socket (default: that of the configuration, else ${DEFAULT_SOCKET})`,
  );
}

/** The agent's socket: as the options say, else as the environment or the package does. */
export async function socketPath(options: SocketOptions, env: NodeJS.ProcessEnv): Promise<string> {
  if (options.socket !== undefined) return options.socket;
  if (options.config === undefined) return env.HAVERDICT_ADMIN_SOCKET ?? DEFAULT_SOCKET;
  const { admin } = await readSettings(options, env);
  if (admin.socket === undefined) throw usageError(`${options.config} has no admin.socket, which this command needs`);
  return admin.socket;
}
