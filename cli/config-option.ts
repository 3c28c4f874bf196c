import type { Command } from 'commander';
import { ConfigError } from '../agent/config/config-error.ts';
import type { Settings } from '../agent/config/settings.ts';
import { CliError, EXIT } from './cli-error.ts';

export interface ConfigOptions {
  readonly config?: string;
}

/** `-c FILE`; without it the settings are the defaults and the environment. */
export function addConfigOption(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    'the configuration file (default: HAVERDICT_… of the environment alone)',
  );
}

/**
 * The settings that the options and the environment name; wrong ones end the program with exit code 78.
 * YAML and schema are loaded here, so that commands without a configuration start fast.
 */
export async function readSettings({ config }: ConfigOptions, env: NodeJS.ProcessEnv): Promise<Settings> {
  const { loadSettings } = await import('../agent/config/load.ts');
  try {
    return loadSettings(config, env);
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CliError(EXIT.config, `the configuration cannot be used\n${error.message}`, { cause: error });
    throw error;
  }
}
