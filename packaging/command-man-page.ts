import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { filled, pageHead, roff, tagged } from './roff.ts';

const COMMANDS = join(import.meta.dirname, '../cli/commands');

/** Every command of the program, by name. */
export async function readCommands(): Promise<Command[]> {
  const commands: Command[] = [];
  for (const file of globSync('*.ts', { cwd: COMMANDS }).sort()) {
    const exported = Object.entries<() => Command>(await import(join(COMMANDS, file))); // files there export nothing else
    for (const [name, make] of exported) if (name.endsWith('Command')) commands.push(make());
  }
  return commands;
}

/** haverdict(1), from the help of the commands. */
export function commandPage(commands: readonly Command[], version: string, epochSeconds: number): string {
  return `${[
    ...pageHead('haverdict', 1, version, epochSeconds),
    '.SH NAME',
    'haverdict \\- check every HAProxy request against a DynamoDB blocklist',
    '.SH SYNOPSIS',
    '.B haverdict',
    '.I COMMAND',
    '[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...',
    '.SH DESCRIPTION',
    ...filled("Runs the agent beside HAProxy, generates HAProxy's configuration for it, and manages the lists."),
    '.SH COMMANDS',
    ...commands.flatMap((command) => describeCommand(command)),
    '.SH EXIT STATUS',
    ...EXIT_STATUS.flatMap(([code, meaning]) => tagged(code, ...filled(meaning))),
    '.SH SIGNALS',
    ...SIGNALS.flatMap(([signal, meaning]) => tagged(signal, ...filled(meaning))),
    '.SH FILES',
    ...tagged('/etc/haverdict/haverdict.yaml', 'The configuration of the agent.'),
    '.SH SEE ALSO',
    '.BR haverdict.yaml (5),',
    '.BR haproxy (1),',
    '.BR systemctl (1)',
  ].join('\n')}\n`;
}

const EXIT_STATUS = [
  ['0', 'Done.'],
  ['1', 'Failed; the reason is on standard error.'],
  ['2', 'Wrong usage; nothing was done.'],
  ['65', 'Done, but lines of a source, or entries, were skipped; standard error says how many.'],
  ['75', 'Written, but --wait gave up before the log of changes had it.'],
  ['78', 'The configuration is not valid; standard error has one problem per line.'],
  ['130', 'Ctrl-C or SIGTERM interrupted a long run; run it again to continue.'],
] as const;

const SIGNALS = [
  ['SIGHUP', 'The agent reloads its configuration; if that fails, it keeps the old one and logs the error.'],
  ['SIGUSR1', 'The agent writes its state to the log.'],
  [
    'SIGTERM, SIGINT',
    'The agent answers pending requests, disconnects from HAProxy and exits; a second signal exits at once.',
  ],
] as const;

function describeCommand(command: Command, parents = 'haverdict'): string[] {
  const name = `${parents} ${command.name()}`;
  const usage = `${name} ${command.usage()}`;
  return [
    `.SS ${roff(usage)}`,
    ...filled(command.description()),
    ...command.options
      .filter(({ hidden }) => !hidden)
      .flatMap(({ flags, description }) => tagged(flags, ...filled(description))),
    ...command.commands.flatMap((sub) => describeCommand(sub, name)),
  ];
}
