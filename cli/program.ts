import type { Writable } from 'node:stream';
import { Command, CommanderError } from 'commander';
import { version } from '../agent/version.ts';
import { escapeInvisible } from '../contract/printable.ts';
import { CliError, EXIT, usageError } from './exit/cli-error.ts';
import { refuseMissingValues } from './options/missing-value.ts';
import { refuseTakenByNpm } from './options/taken-by-npm.ts';

/** The loaders of all commands. A command is loaded only when it is used, as loading takes longer than running. */
const COMMANDS = new Map<string, () => Promise<Command>>([
  ['agent', async () => (await import('./commands/agent.ts')).agentCommand()],
  ['wiring', async () => (await import('./commands/wiring.ts')).wiringCommand()],
  ['doctor', async () => (await import('./commands/doctor.ts')).doctorCommand()],
  ['block', async () => (await import('./commands/block.ts')).blockCommand()],
  ['allow', async () => (await import('./commands/allow.ts')).allowCommand()],
  ['remove', async () => (await import('./commands/remove.ts')).removeCommand()],
  ['explain', async () => (await import('./commands/explain.ts')).explainCommand()],
  ['show', async () => (await import('./commands/show.ts')).showCommand()],
  ['list', async () => (await import('./commands/list.ts')).listCommand()],
  ['lists', async () => (await import('./commands/lists.ts')).listsCommand()],
  ['history', async () => (await import('./commands/history.ts')).historyCommand()],
  ['revert', async () => (await import('./commands/revert.ts')).revertCommand()],
  ['import', async () => (await import('./commands/import.ts')).importCommand()],
  ['export', async () => (await import('./commands/export.ts')).exportCommand()],
  ['sync', async () => (await import('./commands/sync.ts')).syncCommand()],
  ['lint', async () => (await import('./commands/lint.ts')).lintCommand()],
  ['denied', async () => (await import('./commands/denied.ts')).deniedCommand()],
  ['console', async () => (await import('./commands/console.ts')).consoleCommand(run)],
  ['top', async () => (await import('./commands/top.ts')).topCommand()],
  ['prove', async () => (await import('./commands/prove.ts')).proveCommand()],
  ['flush', async () => (await import('./commands/flush.ts')).flushCommand()],
  ['log-level', async () => (await import('./commands/log-level.ts')).logLevelCommand()],
  ['reload', async () => (await import('./commands/reload.ts')).reloadCommand()],
  ['replay', async () => (await import('./commands/replay.ts')).replayCommand()],
  ['cost', async () => (await import('./commands/cost.ts')).costCommand()],
  ['contract', async () => (await import('./commands/contract.ts')).contractCommand()],
  ['completion', async () => (await import('./commands/completion.ts')).completionCommand(everyCommand)],
  ['schema', async () => (await import('./commands/schema.ts')).schemaCommand()],
  ['check-backend', async () => (await import('./commands/check-backend.ts')).checkBackendCommand()],
]);

/** What people type who know other programs. */
const OTHER_NAMES = new Map([
  ...['ban', 'deny'].map((name) => [name, 'block'] as const),
  ...['unblock', 'unban', 'delete', 'del', 'rm'].map((name) => [name, 'remove'] as const),
  ...['whitelist', 'allowlist', 'permit'].map((name) => [name, 'allow'] as const),
]);

/** The name of the command that this word means. */
export function commandNamed(word: string): string {
  return OTHER_NAMES.get(word) ?? word;
}

/** Runs the command of `argv`. Writes an error as one line to `complaints`; returns the exit code. */
export async function run(argv: readonly string[], complaints: Pick<Writable, 'write'>): Promise<number> {
  try {
    const [node = '', file = '', word = '', ...rest] = argv;
    if (word === 'add') throw usageError('add is not a command: block denies, allow lets pass, import reads a file');
    const name = commandNamed(word);
    const asked = await program(name, (text) => complaints.write(`haverdict: ${escapeInvisible(oneLine(text))}\n`));
    const command = asked.commands.find((one) => one.name() === name);
    if (command !== undefined) {
      refuseTakenByNpm(command, process.env);
      refuseMissingValues(rest, command);
    }
    await asked.parseAsync(argv.length < 3 ? argv : [node, file, name, ...rest]);
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // already printed
    complaints.write(`haverdict: ${readable(error instanceof Error ? error.message : String(error))}\n`);
    return error instanceof CliError ? error.exitCode : EXIT.failed;
  }
}

/** The program with the requested command, or with all commands for help and for errors that may name any. */
async function program(asked = '', complain: (text: string) => void): Promise<Command> {
  const all = new Command('haverdict')
    .description('check every HAProxy request against a DynamoDB blocklist')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: complain });
  if (asked === '--version' || asked === '-V') return all;
  const one = COMMANDS.get(asked);
  for (const load of one === undefined ? COMMANDS.values() : [one]) all.addCommand(inheriting(await load(), all));
  return all;
}

export function everyCommand(): Promise<Command[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()));
}

/** Copies the settings of the program to a command and its subcommands. */
function inheriting(command: Command, from: Command): Command {
  for (const below of command.copyInheritedSettings(from).commands) inheriting(below, command);
  return command;
}

/** Escapes a message; some have several lines. */
function readable(text: string): string {
  return text.split('\n').map(escapeInvisible).join('\n');
}

function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
}
