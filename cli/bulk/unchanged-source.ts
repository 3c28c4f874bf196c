import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ListRecord } from '../../blocklist/records.ts';
import type { Item } from '../../blocklist/store.ts';
import type { BlocklistSettings } from '../../config/blocklist-schema.ts';
import { parseDuration } from '../options/duration.ts';
import { outcomeOf } from '../options/outcome-options.ts';
import { isHalfOver } from './difference.ts';
import type { BulkOptions } from './options.ts';

export type Operation = 'import' | 'sync';

/** The options that say how a run goes and not what it writes; whatever else there is makes another run of it. */
const NO_MATTER: ReadonlySet<string> = new Set([
  ...['dryRun', 'quiet', 'json', 'refetch', 'yes', 'metricsFile'],
  ...['table', 'region', 'endpointUrl', 'profile', 'config'],
]);

/** All that decides what a run makes of the same bytes, as one text; the key that a URL can have is not told by it. */
export function requestDigest(
  operation: Operation,
  source: string,
  options: BulkOptions,
  settings: Pick<BlocklistSettings, 'protected' | 'protectPrivate'>,
): string {
  const { version } = createRequire(import.meta.url)('haverdict/package.json');
  const given = Object.entries(options).filter(([name]) => !NO_MATTER.has(name));
  // the outcome again: a file may have another text by now
  return digestOf([
    version,
    operation,
    source,
    given.sort(),
    outcomeOf(options),
    settings.protected,
    settings.protectPrivate,
  ]);
}

/** What a list has in it, whatever the order: to tell whether it is as a run left it. */
export class ListDigest {
  #sum = 0n;
  #count = 0;

  add(item: Item): void {
    this.#sum += hashOf(item);
    this.#count++;
  }

  take(item: Item): void {
    this.#sum -= hashOf(item);
    this.#count--;
  }

  /** For the record of the list: the same only after a run that was asked for the same and left the same behind. */
  after(asked: string): string {
    return digestOf([asked, this.#count, String(this.#sum)]);
  }
}

export async function stateOf(items: AsyncIterable<Item>): Promise<ListDigest> {
  const state = new ListDigest();
  for await (const item of items) state.add(item);
  return state;
}

/**
 * The record of a list, if a source that has not changed since leaves nothing to do: the same was asked for, the list is
 * as it was left, and no end that counts from a run is to be renewed.
 */
export async function recordIfUnchanged(
  known: ListRecord | undefined,
  items: () => AsyncIterable<Item>,
  asked: string,
  options: BulkOptions,
  nowMs: number,
): Promise<ListRecord | undefined> {
  if (options.refetch === true || known?.left === undefined) return undefined;
  if (known.etag === undefined && known.lastModified === undefined) return undefined;
  const seconds = options.for === undefined || options.for === 'never' ? undefined : parseDuration(options.for);
  const state = new ListDigest();
  for await (const item of items()) {
    if (seconds !== undefined && isHalfOver(item, seconds, nowMs)) return undefined;
    state.add(item);
  }
  return state.after(asked) === known.left ? known : undefined;
}

/** Who wrote an item, and when, is no part of it. */
function hashOf({ subject, action, reason, status, note, vars, expiresAt }: Item): bigint {
  const sorted = typeof vars === 'object' && vars !== null ? Object.entries(vars).sort() : vars;
  const text = JSON.stringify([subject, action ?? 'deny', reason, status, note, sorted, expiresAt]);
  return BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
