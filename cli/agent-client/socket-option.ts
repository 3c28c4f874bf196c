import type { Command } from 'commander';
import { usageError } from '../exit/cli-error.ts';
import { addConfigOption, type ConfigOptions, configFile, readSections } from '../options/config-option.ts';

/** The path that the Debian package uses. */
export const DEFAULT_SOCKET = '/run/haverdict/admin.sock';

export interface SocketOptions extends ConfigOptions {
  readonly socket?: string;
}

/** Adds `--socket PATH`, and `-c FILE` to take the path from a configuration. */
export function addSocketOption(command: Command): Command {
  return addSocketPathOption(addConfigOption(command));
}

/** Adds only `--socket PATH`, for commands that already have `-c`. */
export function addSocketPathOption(command: Command): Command {
  return command.option(
    '--socket <path>',
    `the agent's admin.socket (default: that of the configuration, else ${DEFAULT_SOCKET})`,
  );
}

/**
 * The path of the agent's socket: from the options, else that of the configuration, whose other sections may be invalid, else
 * that of the package where there is no configuration.
 */
export async function socketPath(options: SocketOptions, env: NodeJS.ProcessEnv): Promise<string> {
  if (options.socket !== undefined) return options.socket;
  const { admin } = await readSections(['admin'], options, env);
  if (admin.socket !== undefined) return admin.socket;
  const file = configFile(options);
  if (file === undefined) return DEFAULT_SOCKET;
  throw usageError(`${file} has no admin.socket, which this command needs: set it, or name the socket with --socket`);
}
