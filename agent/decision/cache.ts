import { LRUCache } from 'lru-cache';
import type { Entry } from '../../contract/check.ts';
import type { Reason } from '../../contract/policy.ts';
import { Address } from './address.ts';
import { AddressTable } from './address-table.ts';
import { type CacheBlock, ContributionIndex } from './cache-block.ts';
import { bytesOfOther, maxOtherBytes, maxPoolBytes } from './cache-bytes.ts';
import type { CacheSettings, StaleSettings } from './cache-settings.ts';
import { type Kept, otherBlocks, Restoration, tableBlocks } from './cache-snapshot.ts';
import type { Clock } from './clock.ts';
import { ContributionPool, withoutAddress } from './contribution-pool.ts';
import { asStale, type Contribution, type Decision, decisionOf, withoutEnded } from './decision.ts';

/** Times in the cache are whole ticks since the process began: they fit into 32 bits for six years. */
export const TICK_MS = 100;
const TICKS_A_SECOND = 1000 / TICK_MS;

/** How many addresses go at most for one whose verdict is new, where texts fill the memory before addresses do. */
const MAX_EVICTED = 16;
const IP = 'ip:';
const NEVER = Number.POSITIVE_INFINITY;

export interface Explained {
  readonly contribution: Contribution;
  /** Negative once it is past its lifetime. */
  readonly freshForSeconds: number;
  readonly keptForSeconds: number;
}

/**
 * What is known of subjects, for a while: addresses in compact tables, other subjects by their text, each bounded by
 * `maxEntries` and, for what is text, by 256 bytes for each of these. A verdict is fresh for its lifetime and kept for
 * longer, to be used when nobody can be asked.
 */
export class VerdictCache {
  readonly #settings: CacheSettings;
  readonly #staleTicks: number;
  readonly #clock: Clock;
  readonly #revalidateTicks: number;
  readonly #maxPoolBytes: number;
  #pool = new ContributionPool();
  #ipv4: AddressTable;
  #ipv6: AddressTable;
  #changes = 0;
  readonly #others: LRUCache<string, Kept>;
  #othersEvicted = 0;
  readonly #address = new Address();
  /** True after a recall whose verdict is used near its end: ask anew, once. */
  refreshDue = false;

  constructor(settings: CacheSettings, stale: StaleSettings, clock: Clock) {
    this.#settings = settings;
    this.#staleTicks = stale.ifErrorSeconds * TICKS_A_SECOND;
    this.#clock = clock;
    this.#revalidateTicks = stale.revalidateSeconds * TICKS_A_SECOND;
    this.#ipv4 = new AddressTable(1, settings.maxEntries);
    this.#ipv6 = new AddressTable(4, settings.maxEntries);
    const maxBytes = maxOtherBytes(settings.maxEntries);
    this.#maxPoolBytes = maxPoolBytes(settings.maxEntries);
    // Bounded by size alone: with `max` the library sets aside 40 bytes for each entry there may ever be.
    this.#others = new LRUCache({
      maxSize: maxBytes,
      dispose: (kept, _subject, why) => void (why === 'evict' && kept.keptUntil > this.#now() && this.#othersEvicted++),
      // The longest fits into the smallest cache.
      sizeCalculation: ({ contribution }, subject) => Math.min(maxBytes, bytesOfOther(subject, contribution)),
    });
  }

  get state(): { readonly entries: number; readonly bytes: number; readonly evicted: number } {
    return {
      entries: this.#ipv4.size + this.#ipv6.size + this.#others.size,
      bytes: this.#ipv4.bytes + this.#ipv6.bytes + this.#pool.bytes + this.#others.calculatedSize,
      evicted: this.#ipv4.evicted + this.#ipv6.evicted + this.#othersEvicted,
    };
  }

  /** What is known of a subject now, and for how many seconds from now. */
  explain(subject: string): Explained | undefined {
    const kept = this.#keptOf(subject);
    const now = this.#now();
    if (kept === undefined || kept.keptUntil <= now) return undefined;
    const seconds = (tick: number) => (tick - now) / TICKS_A_SECOND;
    const { contribution, freshUntil, keptUntil } = kept;
    return { contribution, freshForSeconds: seconds(freshUntil), keptForSeconds: seconds(keptUntil) };
  }

  /** How often anything was put into it. */
  get changes(): number {
    return this.#changes;
  }

  /** Forgets everything; returns how much that was. */
  clear(): number {
    const { entries } = this.state;
    this.#pool = new ContributionPool();
    this.#ipv4 = new AddressTable(1, this.#settings.maxEntries);
    this.#ipv6 = new AddressTable(4, this.#settings.maxEntries);
    this.#others.clear();
    this.#changes++;
    return entries;
  }

  /** Forgets what is known of a subject; false if that was nothing. */
  forget(subject: string): boolean {
    if (this.explain(subject) === undefined) return false;
    this.#forget(subject);
    return true;
  }

  /** All verdicts that are still kept, in blocks. It may be used on between two of them. */
  *snapshot(): Generator<CacheBlock> {
    const index = new ContributionIndex();
    const now = this.#now();
    for (const table of [this.#ipv4, this.#ipv6]) yield* tableBlocks(table, { pool: this.#pool, index, now });
    yield* otherBlocks(this.#others, { index, now });
  }

  /**
   * Takes in what a snapshot has that is so many ticks old; returns how many subjects that were. Nothing is fresh or
   * kept for longer than the settings allow from now on.
   */
  restore(blocks: Iterable<CacheBlock>, elapsedTicks: number): number {
    const now = this.#now();
    const longestFresh = (decision: Decision) => this.#longestFresh(decision);
    const restoration = new Restoration(this.#pool, { now, elapsedTicks, longestFresh, staleTicks: this.#staleTicks });
    for (const { contributions, ipv4, ipv6, others } of blocks) {
      restoration.add(contributions);
      for (const [rows, table] of [
        [ipv4, this.#ipv4],
        [ipv6, this.#ipv6],
      ] as const)
        restoration.fill(table, rows, this.#address);
      for (const [subject, ...row] of others) {
        const kept = restoration.keptOf(...row);
        if (kept !== undefined) this.#others.set(subject, kept);
      }
    }
    this.#changes++;
    const restored = restoration.end();
    while (this.#pool.bytes > this.#maxPoolBytes && this.#largerTable.size > 0)
      this.#pool.release(this.#largerTable.evict(now));
    return restored;
  }

  /** What is known of an address and still fresh, or undefined. */
  recallAddress(address: Address, nowMs: number): Contribution | undefined {
    const table = address.words === 1 ? this.#ipv4 : this.#ipv6;
    const slot = table.find(address);
    if (slot < 0) return undefined;
    const left = table.freshUntil(slot) - ((nowMs / TICK_MS) | 0);
    if (left <= 0) return undefined;
    this.refreshDue = left < this.#revalidateTicks && table.isRefreshable(slot);
    if (this.refreshDue) table.refresh(slot);
    table.use(slot);
    return this.#pool.get(table.value(slot));
  }

  /** The decision about an address that is fresh and not yet to be asked anew, or undefined. */
  decisionAbout(address: Address, nowMs: number): Decision | undefined {
    const table = address.words === 1 ? this.#ipv4 : this.#ipv6;
    const value = table.freshValue(address, (nowMs / TICK_MS) | 0, this.#revalidateTicks);
    const contribution = value === 0 ? undefined : this.#pool.get(value);
    return typeof contribution === 'object' ? contribution : undefined;
  }

  /** What is known of any other subject and still fresh, or undefined. */
  recall(subject: string, nowMs: number): Contribution | undefined {
    const kept = this.#others.get(subject);
    if (kept === undefined) return undefined;
    const left = kept.freshUntil - ((nowMs / TICK_MS) | 0);
    if (left <= 0) return undefined;
    this.refreshDue = left < this.#revalidateTicks && kept.refreshable;
    if (this.refreshDue) kept.refreshable = false;
    return kept.contribution;
  }

  /** What a subject contributes as long as it must not be asked: what is fresh, else the verdict past its lifetime. */
  knownOf(subject: string): Contribution | undefined {
    const kept = this.#keptOf(subject);
    const now = this.#now();
    if (kept === undefined || kept.keptUntil <= now) return undefined;
    return kept.freshUntil > now ? kept.contribution : asStale(kept.contribution);
  }

  /** The verdict of a subject, fresh or past its lifetime, for when the backend cannot be asked. */
  staleOf(subject: string): Decision | undefined {
    const kept = this.#keptOf(subject);
    return kept === undefined || kept.keptUntil <= this.#now() ? undefined : asStale(kept.contribution);
  }

  /**
   * Keeps a verdict for its lifetime by settings, no longer than the backend allows and the entry lasts, and returns what
   * it contributes: an entry that is over by this host's clock counts no more.
   */
  keepVerdict(subject: string, found: Entry | null, backendTtlSeconds: number): Decision {
    const entry = withoutEnded(found, this.#clock.epochMs());
    const { allowTtlSeconds, denyTtlSeconds } = this.#settings;
    const ownTtl = entry !== null && entry.action !== 'allow' ? denyTtlSeconds : allowTtlSeconds;
    const ttlTicks = Math.min(ownTtl, backendTtlSeconds) * TICKS_A_SECOND;
    const now = this.#now();
    const endsAt = this.#endOf(entry);
    const freshUntil = Math.min(now + ttlTicks, endsAt);
    if (freshUntil <= now) {
      this.#forget(subject);
      return decisionOf(endsAt <= now ? null : entry, 'backend');
    }
    const keptUntil = Math.min(freshUntil + this.#staleTicks, endsAt);
    // One that is fresh for less than twice the time of renewal would be asked for all the time.
    const refreshable = ttlTicks >= 2 * this.#revalidateTicks && freshUntil < endsAt;
    this.#keep(subject, { contribution: decisionOf(entry, 'cache'), freshUntil, keptUntil, refreshable });
    return decisionOf(entry, 'backend');
  }

  /**
   * Notes that a subject could not be looked up, so as not to ask again at once, and returns what it contributes: the
   * verdict that was known before, if that may still be used, else the reason.
   */
  keepFailure(subject: string, reason: Reason): Contribution {
    const kept = this.#keptOf(subject);
    const now = this.#now();
    const stale = kept === undefined || kept.keptUntil <= now ? undefined : asStale(kept.contribution);
    if (kept !== undefined && stale !== undefined && kept.freshUntil > now) return stale;
    const until = now + this.#settings.policyTtlSeconds * TICKS_A_SECOND;
    const keptUntil = stale === undefined ? until : (kept as Kept).keptUntil; // stale comes from kept
    const freshUntil = Math.min(until, keptUntil);
    if (freshUntil > now)
      this.#keep(subject, { contribution: stale ?? reason, freshUntil, keptUntil, refreshable: false });
    return stale ?? reason;
  }

  /** What was known before is taken back, and nothing that may be kept has come for it. */
  #forget(subject: string): void {
    const kept = this.#keptOf(subject);
    if (kept !== undefined) this.#keep(subject, { ...kept, freshUntil: 0, keptUntil: 0 });
  }

  #keep(subject: string, kept: Kept): void {
    this.#changes++;
    const table = this.#tableFor(subject);
    if (table === undefined) {
      this.#others.set(subject, kept);
      return;
    }
    const value = this.#pool.take(withoutAddress(kept.contribution, subject));
    const gone = table.put(this.#address, { ...kept, value }, this.#now());
    if (gone !== 0) this.#pool.release(gone);
    if (this.#pool.bytes > this.#maxPoolBytes) this.#boundTexts(table);
  }

  /** Forgets a few addresses where the texts of their verdicts are too much, and `#address` itself if that is not enough. */
  #boundTexts(table: AddressTable): void {
    for (let left = MAX_EVICTED; left > 0 && this.#pool.bytes > this.#maxPoolBytes; left--) {
      const gone = (left > MAX_EVICTED / 2 ? table : this.#largerTable).evict(this.#now());
      if (gone !== 0) this.#pool.release(gone);
    }
    const gone = this.#pool.bytes > this.#maxPoolBytes ? table.remove(this.#address) : 0;
    if (gone !== 0) this.#pool.release(gone);
  }

  get #largerTable(): AddressTable {
    return this.#ipv4.size > this.#ipv6.size ? this.#ipv4 : this.#ipv6;
  }

  #keptOf(subject: string): Kept | undefined {
    const table = this.#tableFor(subject);
    if (table === undefined) return this.#others.peek(subject);
    const slot = table.find(this.#address);
    if (slot < 0) return undefined;
    return {
      contribution: this.#pool.get(table.value(slot)),
      freshUntil: table.freshUntil(slot),
      keptUntil: table.keptUntil(slot),
      refreshable: table.isRefreshable(slot),
    };
  }

  /** The table of a subject that is an address, which `#address` is then; undefined for any other. */
  #tableFor(subject: string): AddressTable | undefined {
    const [address = ''] = subject.slice(IP.length).split('/'); // all IPv6 of one agent have the same length behind it
    if (!subject.startsWith(IP) || !this.#address.readText(address)) return undefined;
    return this.#address.words === 1 ? this.#ipv4 : this.#ipv6;
  }

  #longestFresh({ action }: Decision): number {
    const { allowTtlSeconds, denyTtlSeconds } = this.#settings;
    return (action === 'allow' ? allowTtlSeconds : denyTtlSeconds) * TICKS_A_SECOND;
  }

  #now(): number {
    return Math.floor(this.#clock.nowMs() / TICK_MS);
  }

  /** The tick at which an entry ends, or what it says, by this host's clock. */
  #endOf(entry: Entry | null): number {
    const { expiresAt: own = NEVER, unlessAllowed } = entry ?? {};
    const seconds = Math.min(own, unlessAllowed?.expiresAt ?? NEVER);
    if (seconds === NEVER) return 0x7fffffff;
    return Math.floor((this.#clock.nowMs() + seconds * 1000 - this.#clock.epochMs()) / TICK_MS);
  }
}
