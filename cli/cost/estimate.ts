import { CliError, EXIT } from '../exit/cli-error.ts';
import { billFor, type CallSize, type Item, total, type Usage } from './bill.ts';
import type { Prices } from './prices.ts';
import type { ReplayedLog } from './replay.ts';
import { type Assumptions, assumedMisses, type Misses, SECONDS_A_MONTH, type Setup, usageOf } from './traffic.ts';

/** A bill and all that it rests on. */
export interface Estimate {
  /** A month's. */
  readonly requests: number;
  readonly usage: Usage;
  readonly items: readonly Item[];
  readonly totalUsd: number;
  readonly assumes: readonly string[];
  readonly leavesOut: readonly string[];
  readonly prices: Prices;
}

/** What both ways to an estimate are told. */
export interface Basis {
  readonly setup: Setup;
  readonly size: CallSize;
  readonly prices: Prices;
}

const LEAVES_OUT = [
  'the free tier, taxes, discounts, support',
  'storage of the table and of logs, writes to the table, backups, alarms and dashboards',
  'cold starts, retries, and calls that a limit of the agent prevents',
  'subjects that are no addresses: each kind more is one key a list and miss more, and has misses of its own',
  'calls that the agent saves by asking for several subjects at once',
];

export function estimateFromAssumptions(assumptions: Assumptions, ipv6Share: number, basis: Basis): Estimate {
  const { requests, clients, visits, visitSeconds, hosts } = assumptions;
  return estimate(requests, assumedMisses(assumptions, basis.setup, ipv6Share), basis, [
    `${count(clients)} different clients a day, ${percent(ipv6Share)} of them with IPv6`,
    `${count(visits)} visits of a client a day, each ${count(visitSeconds)} s long and seen by ${count(hosts)} hosts`,
  ]);
}

/** A month is taken to be like the time of the log that covers most. */
export function estimateFromLogs(logs: readonly ReplayedLog[], basis: Basis): Estimate {
  const requests = sum(logs, (log) => log.requests);
  const lines = sum(logs, (log) => log.lines);
  if (requests === 0)
    throw new CliError(
      EXIT.failed,
      `none of ${count(lines)} lines has a client address and a time: is this HAProxy's log?`,
    );
  const seconds = Math.max(...logs.map((log) => (log.lastMs - log.firstMs) / 1000));
  if (seconds < 1) throw new CliError(EXIT.failed, 'the log covers less than a second: a month cannot be told from it');
  const months = SECONDS_A_MONTH / seconds;
  const misses = {
    ipv4: sum(logs, (log) => log.misses.ipv4) * months,
    ipv6: sum(logs, (log) => log.misses.ipv6) * months,
  };
  return estimate(requests * months, misses, basis, [
    `a month is ${months.toPrecision(3)} times the ${count(seconds / 3600)} hours of the log`,
    `${count(requests)} of ${count(lines)} lines have a client and a time; the others are no requests`,
    'each file is one HAProxy with a cache of its own, empty at its first line',
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
      `an answer is kept ${setup.allowTtl} s, a deny ${setup.denyTtl} s; ${percent(setup.deniedShare)} of the clients are denied`,
      `every miss is one call and looks an address up in ${count(setup.lists)} lists`,
      `a call runs ${size.durationMs} ms in ${size.memoryMb} MB, logs ${size.logBytes} bytes, sends ${size.egressBytes} bytes out`,
    ],
    leavesOut: LEAVES_OUT,
    prices,
  };
}

/** Numbers as people read them: no more digits than matter. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
}

export function percent(share: number): string {
  return `${(share * 100).toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
}

function sum(logs: readonly ReplayedLog[], of: (log: ReplayedLog) => number): number {
  return logs.reduce((all, log) => all + of(log), 0);
}
