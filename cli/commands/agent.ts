import { Command } from 'commander';
import { keepHeapSmall, limitHeap, maxMegabytes } from '../../agent/lifecycle/heap.ts';
import { ConfigError } from '../../config/config-error.ts';
import { describeList } from '../../config/list-settings.ts';
import { formatListenAddress } from '../../config/listen-address.ts';
import type { Settings } from '../../config/settings.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { addConfigOption, type ConfigOptions, configFile, readSettings } from '../options/config-option.ts';
import { warn } from '../output/output.ts';

const MIB = 1024 * 1024;

interface AgentOptions extends ConfigOptions {
  readonly check?: boolean;
  readonly printConfig?: boolean;
}

/** `haverdict agent`: the daemon, or a check of its configuration. */
export function agentCommand(): Command {
  const command = new Command('agent').description('run the agent in the foreground until SIGTERM');
  addConfigOption(command)
    .option('--check', 'check the configuration and exit, like haproxy -c')
    .option('--print-config', 'print the effective configuration (file, environment, defaults) and exit')
    .action(async (typed: AgentOptions) => {
      const config = configFile(typed);
      const options = { ...typed, ...(config !== undefined && { config }) };
      keepHeapSmall();
      if (options.check || options.printConfig) {
        const settings = await readSettings(options, process.env);
        if (options.printConfig) {
          const { printSettings } = await import('../../config/print.ts');
          process.stdout.write(printSettings(options.config, process.env));
          return;
        }
        await checkHere(settings, options);
        const script = await scriptSummary(settings);
        process.stdout.write(`${options.config ?? 'environment'}: ok\n${summary(settings)}${script}`);
        return;
      }
      await limitHeap(() => readSettings(options, process.env));
      await (await import('../../agent/main.ts'))
        .runAgent(() => readSettings(options, process.env))
        .catch(endOnBadConfig);
      endSoon();
    });
  return addExamples(
    command,
    'haverdict agent --check',
    'haverdict agent -c haverdict.yaml',
    'haverdict agent --print-config',
  );
}

/** The process exits after this time even if something, such as a credential helper, still hangs. */
const LINGER_MS = 300;

/**
 * Lets the process end when the event loop is empty. An immediate `process.exit` can deadlock: it waits for V8's helper
 * threads, which can wait for this thread to collect garbage (seen on Node 24.21, about once in 20 stops under load).
 */
function endSoon(): void {
  process.exitCode = EXIT.done;
  if (process.connected) process.disconnect(); // the channel to the first process
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Reports problems of this host: errors end the program with exit code 78, warnings do not. */
async function checkHere(settings: Settings, { config }: AgentOptions): Promise<void> {
  const { checkHost } = await import('../../config/host-checks.ts');
  const { problems, warnings } = checkHost(settings, config, process.env);
  if (problems.length > 0) endOnBadConfig(new ConfigError(problems));
  for (const { where, setting, message } of warnings) warn(`${where}: ${setting}: ${message}`);
  const most = maxMegabytes(settings);
  const given = (process.constrainedMemory() || Number.POSITIVE_INFINITY) / MIB; // 0 where it is unknown
  if (given < most)
    warn(`the agent may use ${most} MB, but its control group is limited to ${Math.floor(given)} MB: raise MemoryMax`);
}

/** Loads the script, if there is one, and returns which messages it decides. */
async function scriptSummary({ script, messages, deadlineMs }: Settings): Promise<string> {
  if (script === undefined) return '';
  const { checkScript } = await import('../../agent/scripts/supervisor.ts');
  const decided = await checkScript({ file: script, messages, deadlineMs }).catch(endOnBadConfig);
  return `  ${script} decides ${decided.join(', ')}\n`;
}

function endOnBadConfig(error: unknown): never {
  if (error instanceof ConfigError) throw new CliError(EXIT.config, error.message, { cause: error });
  throw error;
}

function summary(settings: Settings): string {
  const { listen, backend, deadlineMs, messages, lists } = settings;
  return [
    `listens on ${listen.map(formatListenAddress).join(', ')}`,
    `will ask ${backend.targets.map(({ url }) => url).join(', then ')} (not contacted); deadline ${deadlineMs} ms`,
    `lists ${lists.map((name) => describeList(name, settings)).join(', ')}`,
    `uses at most ${maxMegabytes(settings)} MB: MemoryMax=${maxMegabytes(settings)}M`,
    ...messages.map(({ name, subjects, policy }) => {
      const policies = Object.entries(policy).map(([reason, name]) => `${reason} ${name}`);
      return `${name}: looks up ${subjects.map(({ kind }) => kind).join(', ')}; policy ${policies.join(', ')}`;
    }),
  ]
    .map((line) => `  ${line}\n`)
    .join('');
}
