import { spawnSync } from 'node:child_process';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../config/config-error.ts';
import { type Command, parseCommand, UsageError } from './command.ts';
import { askAws, UnreachableError } from './facts.ts';
import { importsTable, problemsOf } from './preflight.ts';
import { type Deployment, readDeployment } from './settings.ts';

const ROOT = join(import.meta.dirname, '../..');
const CDK = fileURLToPath(import.meta.resolve('aws-cdk/bin/cdk'));
/** As the agent does: wrong usage, wrong configuration, and AWS that cannot be asked. */
const EXIT = { refused: 1, usage: 2, unavailable: 69, config: 78 };

if (import.meta.main) process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const command = parseCommand(process.argv.slice(2));
    const deployment = readDeployment(relative(process.cwd(), command.settingsFile));
    if (command.profile !== undefined) process.env.AWS_PROFILE = command.profile;
    if (command.action === 'deploy' && !(await isReady(deployment))) return EXIT.refused;
    return runCdk(command);
  } catch (error) {
    if (error instanceof UsageError) return fail(EXIT.usage, error.message);
    if (error instanceof ConfigError) return fail(EXIT.config, error.message);
    if (error instanceof UnreachableError) return fail(EXIT.unavailable, `deploy: ${error.message}`);
    throw error;
  }
}

/** Says what would fail half-way, before anything is made. */
async function isReady({ settings, locate }: Deployment): Promise<boolean> {
  const { facts, refused } = await askAws(settings);
  for (const question of refused) console.error(`deploy: not checked, ${question}`);
  const problems = problemsOf(settings, facts);
  for (const { setting, message } of problems) console.error(`${locate(setting)}: ${setting}: ${message}`);
  if (problems.length === 0 && importsTable(facts))
    console.error(`deploy: the table ${settings.tableName} is there already: the stack takes it over with its entries`);
  return problems.length === 0;
}

function runCdk({ cdkArguments, settingsFile }: Command): number {
  // The app runs on the project's own Node, whoever starts this.
  const PATH = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH, DEPLOYMENT_SETTINGS: settingsFile };
  const { status, error } = spawnSync(process.execPath, [CDK, ...cdkArguments], { cwd: ROOT, env, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? EXIT.refused;
}

function fail(code: number, message: string): number {
  console.error(message);
  return code;
}
