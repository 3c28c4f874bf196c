import { Argument, Command } from 'commander';
import { type CompletedCommand, completionScript, SHELLS, type Shell } from '../help/completion.ts';
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
  ).action(async (shell: Shell) => write(completionScript(shell, (await everyCommand()).map(completed))));
}

function completed(command: Command): CompletedCommand {
  const options = command.options.flatMap(({ long, hidden }) => (hidden ? [] : (long ?? [])));
  return { name: command.name(), description: command.description(), options: [...options, '--help'] };
}
