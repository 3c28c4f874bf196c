import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { ConfigError } from '../../config/config-error.ts';
import { listName } from '../../config/list-settings.ts';
import type { ConfigFile } from '../../config/schema.ts';
import type { Settings } from '../../config/settings.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';

export interface ConfigOptions {
  readonly config?: string;
}

/** Where packages and guides install the file. */
export const DEFAULT_CONFIG = '/etc/haverdict/haverdict.yaml';

const PATH_VARIABLE = 'HAVERDICT_CONFIG';
/** One of them is enough for an agent without a file: all other settings have defaults. */
const BACKEND_VARIABLES = 'HAVERDICT_BACKEND_URL';

/** `-c FILE` for commands that need the agent's file, which they look for in the default place. */
export function addConfigOption(command: Command): Command {
  const description = `the agent's configuration file (default: ${DEFAULT_CONFIG} if it exists)`;
  return command.addOption(new Option('-c, --config <file>', description).env(PATH_VARIABLE));
}

/**
 * The settings from the file and the environment; an invalid configuration ends the program with exit code 78.
 * YAML and the schema are imported here, so that commands without a configuration start fast.
 */
export async function readSettings(options: ConfigOptions, env: NodeJS.ProcessEnv): Promise<Settings> {
  const file = configFile(options);
  if (file === undefined && Object.keys(env).every((name) => !name.startsWith(BACKEND_VARIABLES)))
    throw new CliError(
      EXIT.config,
      `there is no ${DEFAULT_CONFIG}: name the configuration file with -c FILE or ${PATH_VARIABLE}`,
    );
  const { loadSettings } = await import('../../config/load.ts');
  return orConfigExit(() => loadSettings(file, env));
}

/** Some sections of the same file; the others may be invalid. */
export async function readSections<const Section extends keyof ConfigFile>(
  sections: readonly Section[],
  options: ConfigOptions,
  env: NodeJS.ProcessEnv,
): Promise<Pick<ConfigFile, Section>> {
  const { loadSections } = await import('../../config/load.ts');
  return orConfigExit(() => loadSections(sections, configFile(options), env));
}

/** The file that a command reads, if there is one. */
export function configFile({ config }: ConfigOptions): string | undefined {
  return config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
}

/** The lists that agents with this configuration ask; undefined without a file, or with `--new-list`. */
export function askedLists(
  lists: ConfigFile['lists'],
  options: ConfigOptions & { readonly newList?: true },
): { readonly names: readonly string[]; readonly file: string } | undefined {
  const file = configFile(options);
  return file === undefined || options.newList ? undefined : { names: lists.map(listName), file };
}

function orConfigExit<Result>(load: () => Result): Result {
  try {
    return load();
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(EXIT.config, invalidText(error), { cause: error });
    throw error;
  }
}

/** One line where the file cannot be read; else a line for each problem, under one that says what they are about. */
function invalidText({ message, problems }: ConfigError): string {
  const isWholeFile = problems.every(({ setting }) => setting === '');
  return isWholeFile && problems.length === 1 ? message : `the configuration is not valid\n${message}`;
}
