import { Command } from 'commander';
import { formatSubject } from '../../contract/subject.ts';
import { DEFAULT_LIST, readLists, readSubject } from '../arguments.ts';
import { CliError, EXIT, usageError } from '../cli-error.ts';
import type { Result } from '../conformance/run.ts';
import { addExamples } from '../examples.ts';
import { aligned, printJson, printLine } from '../output.ts';

interface CheckBackendOptions {
  readonly lists: string[];
  readonly listed?: string;
  readonly calls: number;
  readonly timeout: number;
  readonly json?: true;
}

const WIDTHS = [7, 17];

/** `haverdict check-backend`: does this service answer as the agent expects? */
export function checkBackendCommand(): Command {
  return addExamples(
    new Command('check-backend')
      .description('test whether an HTTP service answers as the agent expects')
      .argument('<url>', 'the service, as backend.url names it')
      .option('--lists <names>', 'the lists to ask, in order', readLists, [DEFAULT_LIST])
      .option('--listed <subject>', 'a subject that has an entry in one of these lists', readListed)
      .option('--calls <number>', 'calls to take the latency from', readCount, 100)
      .option('--timeout <ms>', 'how long one call may take', readCount, 5000)
      .option('--json', 'print the results as a JSON array')
      .action(checkBackend),
    'haverdict check-backend http://127.0.0.1:8787 --listed 203.0.113.7',
    'haverdict check-backend http://127.0.0.1:8787 --lists manual,feed --calls 1000 --json',
  );
}

async function checkBackend(url: string, { json, timeout, ...asked }: CheckBackendOptions): Promise<void> {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw usageError(`"${url}" is no URL: write it like http://127.0.0.1:8787`);
  const [{ Target }, { runChecks }] = await Promise.all([
    import('../conformance/target.ts'),
    import('../conformance/run.ts'),
  ]);
  const results: Result[] = [];
  for await (const result of runChecks(new Target(url, timeout), asked)) {
    results.push(result);
    if (!json) await printLine(aligned([result.state, result.name, result.why], WIDTHS));
  }
  if (json) await printJson(results);
  const failed = results.filter(({ state }) => state === 'failed').map(({ name }) => name);
  if (failed.length > 0)
    throw new CliError(EXIT.failed, `${failed.length} of ${results.length} checks failed: ${failed.join(', ')}`);
}

function readListed(text: string): string {
  const subject = readSubject(text);
  if (subject.kind === 'ip' && subject.value.includes('/'))
    throw usageError(`"${text}" is a network: name an address in it, for that is what the agent asks`);
  return formatSubject(subject);
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageError(`"${text}" is no number from 1 to 999999`);
}
