import type { Command } from 'commander';
import { usageError } from '../exit/cli-error.ts';

/** The script of package.json that runs these commands in a checkout. */
const SCRIPT = 'haverdict';
/** Often set in npm's own files, and a command without it only asks. */
const ALSO_OF_NPMRC = '--yes';

/**
 * Throws where npm kept an option of the command: without `--` in front of the arguments, `npm run haverdict sync … --dry-run`
 * is a sync without it. npm passes the options that it keeps in the environment.
 */
export function refuseTakenByNpm(command: Command, env: NodeJS.ProcessEnv): void {
  if (env.npm_lifecycle_event !== SCRIPT) return;
  const taken = [command, ...command.commands]
    .flatMap(({ options }) => options.map(({ long }) => long ?? ''))
    .find((long) => long !== ALSO_OF_NPMRC && env[`npm_config_${long.slice(2).replaceAll('-', '_')}`] !== undefined);
  if (taken === undefined) return;
  throw usageError(`npm took ${taken} for itself: write npm run ${SCRIPT} -- ${command.name()} … with -- in front`);
}
