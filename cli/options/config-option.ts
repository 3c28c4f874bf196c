import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { ConfigError } from '../../config/config-error.ts';
import type { ConfigFile } from '../../config/schema.ts';
import type { Settings } from '../../config/settings.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';

export interface ConfigOptions {
  readonly config?: string;
}

/** Where packages and guides put the file. */
export const DEFAULT_CONFIG = '/etc/haverdict/haverdict.yaml';

const PATH_VARIABLE = 'HAVERDICT_CONFIG';

/** `-c FILE`; without it the settings are the defaults and the environment. */
export function addConfigOption(command: Command): Command {
  return command.addOption(configOption('the configuration file (default: HAVERDICT_… of the environment alone)'));
}

export function configOption(description: string): Option {
  return new Option('-c, --config <file>', description).env(PATH_VARIABLE);
}

/** The same for commands that only need some sections of the agent's file, and look for it where it usually is. */
export function addSectionOption(command: Command): Command {
  const description = `the agent's configuration file (default: ${DEFAULT_CONFIG} if there is one)`;
  return command.addOption(configOption(description));
}

/**
 * The settings that the options and the environment name; wrong ones end the program with exit code 78.
 * YAML and schema are loaded here, so that commands without a configuration start fast.
 */
export async function readSettings({ config }: ConfigOptions, env: NodeJS.ProcessEnv): Promise<Settings> {
  const { loadSettings } = await import('../../config/load.ts');
  return orConfigExit(() => loadSettings(config, env));
}

/** Some sections of the same file; nothing else of it has to be right. */
export async function readSections<const Section extends keyof ConfigFile>(
  sections: readonly Section[],
  options: ConfigOptions,
  env: NodeJS.ProcessEnv,
): Promise<Pick<ConfigFile, Section>> {
  const { loadSections } = await import('../../config/load-sections.ts');
  return orConfigExit(() => loadSections(sections, sectionFile(options), env));
}

/** The file that `readSections` reads, if there is one. */
export function sectionFile({ config }: ConfigOptions): string | undefined {
  return config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
}

function orConfigExit<Result>(load: () => Result): Result {
  try {
    return load();
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CliError(EXIT.config, `the configuration cannot be used\n${error.message}`, { cause: error });
    throw error;
  }
}
