import { Argument, Command, type Option } from 'commander';
import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  completionScript,
  SHELLS,
  type Shell,
} from '../help/completion.ts';
import { addExamples } from '../help/examples.ts';
import { write } from '../output/output.ts';

/** `haverdict completion SHELL`: prints a completion script for the commands of `everyCommand`. */
export function completionCommand(everyCommand: () => Promise<readonly Command[]>): Command {
  const command = new Command('completion')
    .description('print the completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS));
  return addExamples(
    command,
    'haverdict completion bash > /etc/bash_completion.d/haverdict',
    'haverdict completion zsh > /usr/local/share/zsh/site-functions/_haverdict',
    'haverdict completion fish > ~/.config/fish/completions/haverdict.fish',
  ).action(async (shell: Shell) =>
    write(
      completionScript(
        shell,
        (await everyCommand()).flatMap((one) => completed(one)),
      ),
    ),
  );
}

/** The names in the help of values that are files or folders. */
const FILES = /^(file|folder|path|source|program|log)/;

function completed(command: Command, parents: readonly string[] = []): CompletedCommand[] {
  const path = [...parents, command.name()];
  const [first] = command.registeredArguments;
  const next =
    command.commands.length > 0
      ? command.commands.map((sub) => sub.name())
      : first === undefined
        ? 'nothing'
        : valuesOf(first.argChoices, first.name());
  const options = command.options.filter(({ hidden }) => !hidden).map(completedOption);
  return [
    {
      name: path.join(' '),
      description: command.description(),
      options: [...options, { flags: ['--help'], description: 'display help for command' }],
      next,
    },
    ...command.commands.flatMap((sub) => completed(sub, path)),
  ];
}

function completedOption({ short, long, flags, description, argChoices }: Option): CompletedOption {
  const [, value] = /[<[]([^>\]]+)/.exec(flags) ?? [];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    ...(value !== undefined && { value: valuesOf(argChoices, value) }),
  };
}

function valuesOf(choices: readonly string[] | undefined, name: string): Completed {
  return choices ?? (FILES.test(name) ? 'files' : 'nothing');
}
