import { CliError, EXIT } from '../exit/cli-error.ts';
import { billFor, type CallSize, type Item, total, type Usage } from './bill.ts';
import type { Prices } from './prices.ts';
import type { ReplayedLog } from './replay.ts';
import { type Assumptions, assumedMisses, type Misses, SECONDS_A_MONTH, type Setup, usageOf } from './traffic.ts';

/** A bill with its assumptions. */
export interface Estimate {
  /** Requests per month. */
  readonly requests: number;
  readonly usage: Usage;
  readonly items: readonly Item[];
  readonly totalUsd: number;
  readonly assumes: readonly string[];
  readonly leavesOut: readonly string[];
  readonly prices: Prices;
}

/** The inputs that all estimates share. */
export interface Basis {
  readonly setup: Setup;
  readonly size: CallSize;
  readonly prices: Prices;
}

const LEAVES_OUT = [
  'the free tier, taxes, discounts, support',
  'storage of the table and of logs, writes to the table, backups, alarms and dashboards',
  'cold starts, retries, and calls that a limit of the agent prevents',
  'other subjects than addresses: each kind adds one key per list and miss, and misses of its own',
  'calls that the agent saves by looking up several subjects at once',
];

export function estimateFromAssumptions(assumptions: Assumptions, ipv6Share: number, basis: Basis): Estimate {
  const { requests, clients, visits, visitSeconds, hosts } = assumptions;
  return estimate(requests, assumedMisses(assumptions, basis.setup, ipv6Share), basis, [
    `${count(clients)} distinct clients per day, ${percent(ipv6Share)} of them with IPv6`,
    `${count(visits)} visits per client and day, each ${count(visitSeconds)} s long and seen by ${count(hosts)} hosts`,
  ]);
}

/** Extrapolates to a month from the time span of the longest log. */
export function estimateFromLogs(logs: readonly ReplayedLog[], basis: Basis): Estimate {
  const requests = sum(logs, (log) => log.requests);
  const lines = sum(logs, (log) => log.lines);
  if (requests === 0)
    throw new CliError(
      EXIT.failed,
      `no line of ${count(lines)} has a client address and a time: is this a HAProxy log?`,
    );
  const seconds = Math.max(...logs.map((log) => (log.lastMs - log.firstMs) / 1000));
  if (seconds < 1) throw new CliError(EXIT.failed, 'the log covers less than one second: too short for an estimate');
  const months = SECONDS_A_MONTH / seconds;
  const misses = {
    ipv4: sum(logs, (log) => log.misses.ipv4) * months,
    ipv6: sum(logs, (log) => log.misses.ipv6) * months,
  };
  return estimate(requests * months, misses, basis, [
    `a month is ${months.toPrecision(3)} times the ${count(seconds / 3600)} hours of the log`,
    `${count(requests)} of ${count(lines)} lines have a client and a time; the others are ignored`,
    'each file is one HAProxy host with its own cache, empty at the start',
  ]);
}

function estimate(requests: number, misses: Misses, basis: Basis, traffic: readonly string[]): Estimate {
  const { setup, size, prices } = basis;
  const usage = usageOf(misses, setup.lists);
  const items = billFor(usage, size, prices);
  return {
    requests,
    usage,
    items,
    totalUsd: total(items),
    assumes: [
      ...traffic,
      `an answer is cached for ${setup.allowTtl} s, a deny for ${setup.denyTtl} s; ${percent(setup.deniedShare)} of the clients are denied`,
      `every miss is one call that looks up an address in ${setup.lists === 1 ? '1 list' : `${count(setup.lists)} lists`}`,
      `a call takes ${size.durationMs} ms with ${size.memoryMb} MB, logs ${size.logBytes} bytes and returns ${size.egressBytes} bytes`,
    ],
    leavesOut: LEAVES_OUT,
    prices,
  };
}

/** Formats a rounded number. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
}

export function percent(share: number): string {
  return `${(share * 100).toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
}

function sum(logs: readonly ReplayedLog[], of: (log: ReplayedLog) => number): number {
  return logs.reduce((all, log) => all + of(log), 0);
}
