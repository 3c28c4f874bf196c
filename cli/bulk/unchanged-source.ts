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

/** Options that do not affect what a run writes; any other difference makes it a different run. */
const NO_MATTER: ReadonlySet<string> = new Set([
  ...['dryRun', 'quiet', 'json', 'refetch', 'yes', 'metricsFile', 'newList', 'wait', 'waitLimit'],
  ...['table', 'region', 'endpointUrl', 'profile', 'config'],
]);

/** A digest of everything that decides what a run makes of the same bytes. It reveals no key in a URL. */
export function requestDigest(
  operation: Operation,
  source: string,
  options: BulkOptions,
  settings: Pick<BlocklistSettings, 'protected' | 'protectPrivate'>,
): string {
  const { version } = createRequire(import.meta.url)('haverdict/package.json');
  const given = Object.entries(options).filter(([name]) => !NO_MATTER.has(name));
  // the outcome too: the file it is read from may have changed
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

/** A digest of the contents of a list, independent of order. */
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

  /** The digest for the list's record: equal only for the same request and the same resulting list. */
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
 * The record of a list if nothing is to be done while the source is unchanged: the request is the same, the list is as the
 * last run left it, and no relative expiry is due for renewal.
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

/** Ignores `createdBy` and `createdAt`. */
function hashOf({ subject, action, reason, status, note, vars, expiresAt }: Item): bigint {
  const sorted = typeof vars === 'object' && vars !== null ? Object.entries(vars).sort() : vars;
  const text = JSON.stringify([subject, action ?? 'deny', reason, status, note, sorted, expiresAt]);
  return BigInt(`0x${createHash('sha256').update(text).digest('hex')}`);
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
