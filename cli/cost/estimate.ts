import { CliError, EXIT } from '../exit/cli-error.ts';
import { billFor, type CallSize, type Fixed, type Item, total, updatesBill } from './bill.ts';
import { LOADS_A_DAY, type MirrorSetup } from './mirror.ts';
import type { Prices } from './prices.ts';
import type { ReplayedLog } from './replay.ts';
import {
  type Assumptions,
  assumedLookups,
  type Lookups,
  SECONDS_A_MONTH,
  type Setup,
  type Usage,
  usageOf,
} from './traffic.ts';
import { CHANGES, POLL, usualPollMs } from './updates.ts';

/** A bill with its assumptions. */
export interface Estimate {
  /** Requests per month. */
  readonly requests: number;
  /** Requests that the cache cannot answer, and refreshes; none with a mirror. */
  readonly lookups: number;
  readonly usage: Usage;
  readonly items: readonly Item[];
  readonly totalUsd: number;
  /** The same without a mirror; undefined if that is what it is. */
  readonly withoutMirror: WithoutMirror | undefined;
  readonly assumes: readonly string[];
  readonly leavesOut: readonly string[];
  readonly prices: Prices;
}

export type WithoutMirror = Pick<Estimate, 'lookups' | 'usage' | 'totalUsd'>;

/** The inputs that all estimates share. */
export interface Basis {
  readonly setup: Setup;
  readonly size: CallSize;
  readonly fixed: Fixed;
  readonly prices: Prices;
  /** Undefined without updates. How many agents poll follows from the traffic, and how often from them, where it is not said. */
  readonly updates: UpdatesBasis | undefined;
}

export interface UpdatesBasis extends Partial<Omit<MirrorSetup, 'writes' | 'entries'>>, Pick<MirrorSetup, 'entries'> {
  /** Do the agents have a mirror? */
  readonly mirror: boolean;
}

const LEAVES_OUT = [
  'the free tier, taxes, discounts, support',
  'storage of the tables and of logs, backups, replicas, reads by commands',
  'cold starts, retries, and calls that a limit of the agent prevents',
  'other subjects than addresses: each kind adds one key per list and lookup, and lookups of its own',
];

export function estimateFromAssumptions(assumptions: Assumptions, ipv6Share: number, basis: Basis): Estimate {
  const { requests, clients, visits, visitSeconds, hosts } = assumptions;
  return estimate({ requests, lookups: assumedLookups(assumptions, basis.setup, ipv6Share), hosts }, basis, [
    `${count(clients)} distinct clients per day, ${percent(ipv6Share)} of them with IPv6`,
    `${count(visits)} visits per client and day, each ${count(visitSeconds)} s long and seen by ${count(hosts)} hosts`,
    'all times of the day have the same traffic',
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
  const [ipv4, ipv6] = [sum(logs, (log) => log.ipv4), sum(logs, (log) => log.ipv6)];
  const lookups = {
    ipv4: ipv4 * months,
    ipv6: ipv6 * months,
    sharedNetworks: sum(logs, (log) => log.sharedNetworks) / (ipv4 + ipv6),
  };
  return estimate({ requests: requests * months, lookups, hosts: logs.length }, basis, [
    `a month is ${months.toPrecision(3)} times the ${count(seconds / 3600)} hours of the log`,
    `${count(requests)} of ${count(lines)} lines have a client and a time; the others are ignored`,
    'each file is one HAProxy host with its own cache, empty at the start',
  ]);
}

/** The requests and lookups of a month, on so many hosts. */
interface Traffic {
  readonly requests: number;
  readonly lookups: Lookups;
  readonly hosts: number;
}

function estimate({ requests, lookups, hosts }: Traffic, basis: Basis, traffic: readonly string[]): Estimate {
  const { setup, size, prices } = basis;
  const hasMirror = basis.updates?.mirror === true;
  const without = { lookups: lookups.ipv4 + lookups.ipv6, usage: usageOf(lookups, setup, hosts) };
  const { lookups: needed, usage } = hasMirror ? NOTHING_ASKED : without;
  const items = itemsOf(usage, hosts, basis);
  return {
    requests,
    lookups: needed,
    usage,
    items,
    totalUsd: total(items),
    withoutMirror: hasMirror
      ? { ...without, totalUsd: total(itemsOf(without.usage, hosts, withoutMirror(basis))) }
      : undefined,
    assumes: [...traffic, ...(hasMirror ? [] : lookupsInWords(setup, size)), ...updatesInWords(basis, hosts)],
    leavesOut: LEAVES_OUT,
    prices,
  };
}

const NOTHING_ASKED = { lookups: 0, usage: { calls: 0, keys: 0 } } as const;

function itemsOf(usage: Usage, hosts: number, basis: Basis): readonly Item[] {
  const { size, fixed, prices, updates } = basis;
  const own = billFor(usage, size, fixed, prices);
  return updates === undefined
    ? own
    : [...own, ...updatesBill(mirrorSetup(updates, fixed, hosts), updates.mirror, size.memoryMb, prices)];
}

function withoutMirror(basis: Basis): Basis {
  return { ...basis, updates: basis.updates && { ...basis.updates, mirror: false } };
}

function mirrorSetup({ agents: given, pollMs, entries }: UpdatesBasis, { writes }: Fixed, hosts: number): MirrorSetup {
  const agents = given ?? hosts;
  return { agents, pollMs: pollMs ?? usualPollMs(agents), entries, writes };
}

function lookupsInWords(setup: Setup, size: CallSize): readonly string[] {
  const [allowTtl, denyTtl] = [setup.allowTtl, setup.denyTtl].map((ttl) => Math.min(ttl, setup.functionTtl));
  return [
    `an answer is cached for ${allowTtl} s, a deny for ${denyTtl} s; ${percent(setup.deniedShare)} of the clients are denied`,
    `a verdict in use is looked up again ${setup.refreshSeconds} s before its end; lookups within ${setup.batchMs} ms share a call`,
    `every lookup is of an address, in ${setup.lists === 1 ? '1 list' : `${count(setup.lists)} lists`}`,
    `a call takes ${size.durationMs} ms with ${size.memoryMb} MB, logs ${size.logBytes} bytes and returns ${size.egressBytes} bytes`,
  ];
}

function updatesInWords({ updates, fixed }: Basis, hosts: number): readonly string[] {
  if (updates === undefined) return ['no updates'];
  const { agents, pollMs, entries } = mirrorSetup(updates, fixed, hosts);
  const polls = `${agents === 1 ? '1 agent polls' : `${count(agents)} agents poll`} every ${count(pollMs)} ms for updates`;
  const loads = `each agent loads it ${LOADS_A_DAY === 1 ? 'once' : `${LOADS_A_DAY} times`} a day, and asks about nobody`;
  return [
    `${polls}, which takes ${POLL.ms} ms and returns ${POLL.egressBytes} bytes; ${CHANGES.aRecord} written entries share a record`,
    `the stack makes a mirror of ${count(entries)} entries; ${updates.mirror ? loads : 'no agent loads it'}`,
  ];
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
