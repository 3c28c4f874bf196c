import type { Command } from 'commander';
import { readEntry } from '../../blocklist/as-meant.ts';
import type { Item } from '../../blocklist/store.ts';
import { usageError } from '../exit/cli-error.ts';
import { overlap, parseRange, type Range } from '../guards/address-range.ts';
import { parseDuration } from '../options/duration.ts';

/** Which entries of a list are meant. */
export interface FilterOptions {
  readonly by?: string;
  readonly within?: Range;
  /** Seconds. */
  readonly expiring?: number;
}

/** The options of every command that takes some entries of a list; `reason` is the name of one that differs. */
export function addFilterOptions(command: Command, reason: string): Command {
  return command
    .option(`--${reason} <text>`, 'only entries whose reason contains this, in any case')
    .option('--by <who>', 'only entries of this user, or of this user@host')
    .option('--within <network>', 'only addresses and networks in this network', readNetwork)
    .option('--expiring <duration>', 'only entries that expire within 90s, 30m, 24h, 7d or 2w', parseDuration);
}

/** Whether an item passes every filter. One that is no valid entry passes none. */
export function filterOf(
  { by, within, expiring }: FilterOptions,
  reason: string | undefined,
  nowSeconds: number,
): (item: Item) => boolean {
  const wanted = reason?.toLowerCase();
  return (item) => {
    if (by === undefined && within === undefined && expiring === undefined && wanted === undefined) return true;
    const read = readEntry(item);
    if ('problem' in read) return false;
    const { subject, reason: is = '', createdBy = '', expiresAt } = read.entry;
    if (wanted !== undefined && !is.toLowerCase().includes(wanted)) return false;
    if (by !== undefined && createdBy !== by && createdBy.split('@')[0] !== by) return false;
    if (within !== undefined && !isWithin(subject, within)) return false;
    return expiring === undefined || isEnding(expiresAt, nowSeconds, expiring);
  };
}

export function isFiltering({ by, within, expiring }: FilterOptions, reason: string | undefined): boolean {
  return by !== undefined || within !== undefined || expiring !== undefined || reason !== undefined;
}

function isWithin(subject: string, network: Range): boolean {
  const range = subject.startsWith('ip:') ? parseRange(subject.slice('ip:'.length)) : undefined;
  return range !== undefined && range.prefix >= network.prefix && overlap(range, network);
}

function isEnding(expiresAt: number | undefined, nowSeconds: number, seconds: number): boolean {
  return expiresAt !== undefined && expiresAt > nowSeconds && expiresAt <= nowSeconds + seconds;
}

function readNetwork(text: string): Range {
  const range = parseRange(text);
  if (range !== undefined) return range;
  throw usageError(`--within "${text}" is not a network: write it like 203.0.113.0/24`);
}
