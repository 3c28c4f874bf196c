import { Command } from 'commander';
import { formatSubject } from '../../contract/subject.ts';
import type { Result } from '../conformance/run-checks.ts';
import { CliError, EXIT, usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readLists, readSubject } from '../options/arguments.ts';
import { addConfigOption, type ConfigOptions, configFile, readSettings } from '../options/config-option.ts';
import { printJson } from '../output/output.ts';
import { printRow } from '../output/table.ts';

interface CheckBackendOptions extends ConfigOptions {
  readonly lists?: string[];
  readonly listed?: string;
  readonly calls: number;
  readonly timeout?: number;
  readonly json?: true;
}

const TIMEOUT_MS = 5000;
const LEAVE_MS = 1000;
const WIDTHS = [7, 17];

/** `haverdict check-backend`: checks whether a backend follows the contract. */
export function checkBackendCommand(): Command {
  const command = new Command('check-backend')
    .description('test whether an HTTP service answers as the agent expects')
    .argument(
      '[url]',
      'the base URL, as in backend.url (default: those of the configuration, called as the agent does: signed, with its lists and timeouts)',
    );
  return addExamples(
    addConfigOption(command)
      .option(
        '--lists <names>',
        `the lists to look in, in order of precedence (default: those of the configuration, or ${DEFAULT_LIST})`,
        readLists,
      )
      .option('--listed <subject>', 'a subject that has an entry in one of these lists', readListed)
      .option('--calls <number>', 'the number of calls for measuring the latency', readCount, 100)
      .option(
        '--timeout <ms>',
        `the timeout of a call (default: that of the configuration, or ${TIMEOUT_MS})`,
        readCount,
      )
      .option('--json', 'print the results as a JSON array')
      .action(checkBackend),
    'haverdict check-backend http://127.0.0.1:8787 --listed 203.0.113.7',
    'haverdict check-backend http://127.0.0.1:8787 --lists manual,feed --calls 1000 --json',
    'haverdict check-backend',
  );
}

async function checkBackend(
  url: string | undefined,
  { json, ...options }: CheckBackendOptions,
  command: Command,
): Promise<void> {
  if (url !== undefined && command.getOptionValueSource('config') === 'cli')
    throw usageError('name a URL or a configuration with -c, not both');
  const results: Result[] = [];
  for await (const result of url === undefined ? configured(options) : named(url, options)) {
    results.push(result);
    if (!json) await printRow([result.state, result.name, result.why], WIDTHS);
  }
  if (json) await printJson(results);
  const failed = results.filter(({ state }) => state === 'failed').map(({ name }) => name);
  // a credential helper that hangs must not keep the process alive
  setTimeout(() => process.exit(), LEAVE_MS).unref();
  if (failed.length > 0)
    throw new CliError(EXIT.failed, `${failed.length} of ${results.length} checks failed: ${failed.join(', ')}`);
}

async function* named(url: string, options: CheckBackendOptions): AsyncGenerator<Result> {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw usageError(`"${url}" is not a valid URL: use one like http://127.0.0.1:8787`);
  const [{ Target }, { runChecks }] = await Promise.all([
    import('../conformance/target.ts'),
    import('../conformance/run-checks.ts'),
  ]);
  const { lists = [DEFAULT_LIST], timeout = TIMEOUT_MS, calls, listed } = options;
  yield* runChecks(new Target(url, timeout), { lists, calls, ...(listed !== undefined && { listed }) });
}

async function* configured(options: CheckBackendOptions): AsyncGenerator<Result> {
  if (configFile(options) === undefined) throw usageError('name a URL, or the configuration of the agent with -c FILE');
  const settings = await readSettings(options, process.env);
  const { checkAsAgent } = await import('../conformance/check-as-agent.ts');
  const { lists = settings.lists, timeout = settings.backend.timeoutMs, calls, listed } = options;
  const { listActions } = settings;
  yield* checkAsAgent(settings, { lists, listActions, calls, ...(listed !== undefined && { listed }) }, timeout);
}

function readListed(text: string): string {
  const subject = readSubject(text);
  if (subject.kind === 'ip' && subject.value.includes('/'))
    throw usageError(`"${text}" is a network: use an address in it, because agents look up addresses`);
  return formatSubject(subject);
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageError(`"${text}" is not a number from 1 to 999999`);
}
