import type { Command } from 'commander';
import { usageError } from '../exit/cli-error.ts';
import { type ConfigOptions, configOption, readSettings } from '../options/config-option.ts';

/** The path that the Debian package uses. */
const DEFAULT_SOCKET = '/run/haverdict/admin.sock';

export interface SocketOptions extends ConfigOptions {
  readonly socket?: string;
}

/** Adds `--socket PATH`, and `-c FILE` to take the path from a configuration. */
export function addSocketOption(command: Command): Command {
  return addSocketPathOption(command.addOption(configOption('take the path from this configuration file')));
}

/** Adds only `--socket PATH`, for commands that already have `-c`. */
export function addSocketPathOption(command: Command): Command {
  return command.option(
    '--socket <path>',
    `the agent's admin.socket (default: that of the configuration, else ${DEFAULT_SOCKET})`,
  );
}

/** The path of the agent's socket: from the options, else from the environment, else that of the package. */
export async function socketPath(options: SocketOptions, env: NodeJS.ProcessEnv): Promise<string> {
  if (options.socket !== undefined) return options.socket;
  if (options.config === undefined) return env.HAVERDICT_ADMIN_SOCKET ?? DEFAULT_SOCKET;
  const { admin } = await readSettings(options, env);
  if (admin.socket === undefined) throw usageError(`${options.config} has no admin.socket, which this command needs`);
  return admin.socket;
}
