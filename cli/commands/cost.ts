import { Command, Option } from 'commander';
import type { Basis, Estimate } from '../cost/estimate.ts';
import { usageError } from '../exit/cli-error.ts';
import { addExamples } from '../help/examples.ts';
import { printJson, write } from '../output/output.ts';

interface CostOptions {
  readonly requests: number;
  readonly clients: number;
  readonly visits: number;
  readonly visitSeconds: number;
  readonly hosts: number;
  readonly ipv6Share: number;
  readonly allowTtl: number;
  readonly denyTtl: number;
  readonly functionTtl: number;
  readonly refreshSeconds: number;
  readonly batchMs: number;
  readonly deniedShare: number;
  readonly lists: number;
  readonly cacheEntries: number;
  readonly memoryMb: number;
  readonly durationMs: number;
  readonly logBytes: number;
  readonly egressBytes: number;
  readonly writes: number;
  readonly updates: boolean;
  readonly mirror: boolean;
  readonly entries: number;
  readonly agents?: number;
  readonly pollMs?: number;
  readonly metrics?: number;
  readonly alarmMetrics?: number;
  readonly dashboards: number;
  readonly prices?: string;
  readonly json?: true;
}

/** Options that cannot be combined with a log. */
const TRAFFIC = ['requests', 'clients', 'visits', 'visitSeconds', 'hosts', 'ipv6Share'] as const;

/** Options that say something of updates. */
const OF_UPDATES = ['agents', 'pollMs', 'entries'] as const;

/** What the stack has with updates and without, and is billed by the month. */
export const STACK = { with: { metrics: 2, alarmMetrics: 18 }, without: { metrics: 1, alarmMetrics: 12 } } as const;

/** `haverdict cost`: the AWS bill for a month of this traffic. */
export function costCommand(): Command {
  return addExamples(
    new Command('cost')
      .description('estimate the monthly AWS cost from a HAProxy log or from assumptions')
      .argument('[file...]', 'HAProxy logs, one per host; - is standard input')
      .addOption(number('--requests <number>', 'requests per month', 3_000_000))
      .addOption(number('--clients <number>', 'distinct client addresses per day', 1000))
      .addOption(number('--visits <number>', 'visits per client and day', 5))
      .addOption(number('--visit-seconds <seconds>', 'duration of a visit', 60))
      .addOption(number('--hosts <number>', 'HAProxy hosts that see each visit', 2))
      .addOption(share('--ipv6-share <share>', 'share of clients with IPv6, 0 to 1', 0.4))
      .addOption(number('--allow-ttl <seconds>', 'cache.allowTtlSeconds', 60))
      .addOption(number('--deny-ttl <seconds>', 'cache.denyTtlSeconds', 300))
      .addOption(number('--function-ttl <seconds>', 'ttlSeconds of the stack, the limit of both', 300))
      .addOption(number('--refresh-seconds <seconds>', 'stale.revalidateSeconds', 5))
      .addOption(number('--batch-ms <ms>', 'backend.batch.windowMs', 1))
      .addOption(share('--denied-share <share>', 'share of clients that are denied, 0 to 1', 0))
      .addOption(number('--lists <number>', 'lists that the agent looks in', 1))
      .addOption(number('--cache-entries <number>', 'cache.maxEntries, used with a log', 1_000_000))
      .addOption(number('--memory-mb <mb>', 'memory of the function in MB', 512))
      .addOption(number('--duration-ms <ms>', 'duration of a call', 10))
      .addOption(number('--log-bytes <bytes>', 'bytes logged per call', 600))
      .addOption(number('--egress-bytes <bytes>', 'bytes per response, with headers', 700))
      .addOption(number('--writes <number>', 'entries written per month, unchanged ones included', 0))
      .option('--no-updates', 'updates: false of the stack')
      .option('--no-mirror', 'agents without updates.mode: mirror: each new visitor is asked about')
      .addOption(number('--entries <number>', 'entries in the table', 50_000))
      .addOption(number('--agents <number>', 'agents that poll for updates (default: the hosts)'))
      .addOption(number('--poll-ms <ms>', 'updatePollMs of the stack (default: what it is for so many agents)'))
      .addOption(
        number('--metrics <number>', `CloudWatch metrics that functions write (default: ${presets('metrics')})`),
      )
      .addOption(number('--alarm-metrics <number>', `metrics that alarms watch (default: ${presets('alarmMetrics')})`))
      .addOption(number('--dashboards <number>', 'CloudWatch dashboards', 1))
      .option('--prices <file>', 'a JSON file with other prices')
      .option('--json', 'print a JSON object')
      .action((files: string[], options: CostOptions, command: Command) => printCost(files, options, command)),
    'haverdict cost --requests 50000000 --clients 20000',
    'haverdict cost /var/log/haproxy.log --no-mirror --allow-ttl 300',
  );
}

async function printCost(files: string[], options: CostOptions, command: Command): Promise<void> {
  const given = TRAFFIC.find((name) => isGiven(name, command));
  if (files.length > 0 && given !== undefined)
    throw usageError(`--${dashed(given)} applies only without a log: a log has the traffic itself`);
  if (options.cacheEntries < 1) throw usageError('--cache-entries must be at least 1');
  if (options.pollMs === 0) throw usageError('--poll-ms must be more than 0');
  const without = options.updates ? undefined : OF_UPDATES.find((name) => isGiven(name, command));
  const why = without === 'entries' ? 'there is no mirror then' : 'nobody polls then';
  if (without !== undefined) throw usageError(`--${dashed(without)} does not go with --no-updates: ${why}`);
  const estimated = await estimate(files, options);
  const { report } = await import('../cost/report.ts');
  if (options.json) await printJson(estimated);
  else await write(`${report(estimated)}\n`);
}

function isGiven(name: string, command: Command): boolean {
  return command.getOptionValueSource(name) === 'cli';
}

async function estimate(files: readonly string[], options: CostOptions): Promise<Estimate> {
  const [{ estimateFromAssumptions, estimateFromLogs }, { readPrices }, { replayLog }] = await Promise.all([
    import('../cost/estimate.ts'),
    import('../cost/prices.ts'),
    import('../cost/replay.ts'),
  ]);
  const fixed = { ...(options.updates ? STACK.with : STACK.without), ...options };
  const updates = options.updates ? options : undefined;
  const basis: Basis = { setup: options, size: options, fixed, prices: readPrices(options.prices), updates };
  if (files.length === 0) return estimateFromAssumptions(options, options.ipv6Share, basis);
  const logs = [];
  for (const file of files) logs.push(await replayLog(file, options, options.cacheEntries)); // one at a time: each has a cache in memory
  return estimateFromLogs(logs, basis);
}

function number(flags: string, about: string, preset?: number): Option {
  return new Option(flags, about).default(preset).argParser((text) => {
    if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text);
    throw usageError(`${flags} takes a number, not "${text}"`);
  });
}

function share(flags: string, about: string, preset: number): Option {
  return new Option(flags, about).default(preset).argParser((text) => {
    if (/^(0(\.\d+)?|1(\.0+)?)$/.test(text)) return Number(text);
    throw usageError(`${flags} takes a number from 0 to 1, not "${text}"`);
  });
}

function presets(name: keyof typeof STACK.with): string {
  return `${STACK.with[name]}, ${STACK.without[name]} without updates`;
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
