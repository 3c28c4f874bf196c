import { Command } from 'commander';
import { ConfigError } from '../../agent/config/config-error.ts';
import { formatListenAddress } from '../../agent/config/listen-address.ts';
import type { Settings } from '../../agent/config/settings.ts';
import { boundAgentHeap, keepAgentHeapSmall } from '../../agent/lifecycle/heap.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { addConfigOption, type ConfigOptions, readSettings } from '../config-option.ts';
import { addExamples } from '../examples.ts';

interface AgentOptions extends ConfigOptions {
  readonly check?: boolean;
  readonly printConfig?: boolean;
}

/** `haverdict agent`: the daemon that HAProxy asks, or a test of its configuration. */
export function agentCommand(): Command {
  const command = new Command('agent').description('run the agent that HAProxy asks, until SIGTERM');
  addConfigOption(command)
    .option('--check', 'only test the configuration, like haproxy -c')
    .option('--print-config', 'only print the configuration in force: the file, the environment and the defaults')
    .action(async (options: AgentOptions) => {
      keepAgentHeapSmall();
      if (options.check || options.printConfig) {
        const settings = await readSettings(options, process.env);
        if (options.printConfig) {
          const { printSettings } = await import('../../agent/config/print.ts');
          process.stdout.write(printSettings(options.config, process.env));
          return;
        }
        const rules = await rulesOf(settings);
        process.stdout.write(`${options.config ?? 'environment'}: ok\n${summary(settings)}${rules}`);
        return;
      }
      boundAgentHeap(await readSettings(options, process.env));
      await (await import('../../agent/main.ts'))
        .runAgent(() => readSettings(options, process.env))
        .catch(endOnBadRules);
      // A credential helper that hangs, or the channel to the first process, would keep this one for longer.
      process.exit(EXIT.done);
    });
  return addExamples(
    command,
    'haverdict agent -c haverdict.yaml',
    'haverdict agent --check -c haverdict.yaml',
    'haverdict agent --print-config -c haverdict.yaml',
  );
}

/** Loads the module of rules, if there is one, and says what it decides. */
async function rulesOf({ rules, messages, deadlineMs }: Settings): Promise<string> {
  if (rules === undefined) return '';
  const { tryRules } = await import('../../agent/rules/try.ts');
  const decided = await tryRules({ file: rules, messages, deadlineMs }).catch(endOnBadRules);
  return `  ${rules} decides ${decided.join(', ')}\n`;
}

function endOnBadRules(error: unknown): never {
  if (error instanceof ConfigError) throw new CliError(EXIT.config, error.message, { cause: error });
  throw error;
}

function summary({ listen, backend, deadlineMs, messages }: Settings): string {
  return [
    `listens on ${listen.map(formatListenAddress).join(', ')}`,
    `asks ${backend.targets.map(({ url }) => url).join(', then ')}, answers within ${deadlineMs} ms`,
    ...messages.map(({ name, subjects, policy }) => {
      const policies = Object.entries(policy).map(([reason, name]) => `${reason} ${name}`);
      return `${name}: looks up ${subjects.map(({ kind }) => kind).join(', ')}; policy ${policies.join(', ')}`;
    }),
  ]
    .map((line) => `  ${line}\n`)
    .join('');
}
