import type { Entry } from '../../contract/check.ts';
import type { Reason } from '../../contract/policy.ts';
import type { Address } from './address.ts';
import { AddressTable } from './address-table.ts';
import { maxPoolBytes } from './cache-memory.ts';
import type { CacheSettings, StaleSettings } from './cache-settings.ts';
import { otherBlocks, Restoration, tableBlocks } from './cache-snapshot.ts';
import { type CacheBlock, VerdictIndex } from './cache-snapshot-block.ts';
import type { ChangedSubjects } from './changed-subjects.ts';
import type { Clock } from './clock.ts';
import { asStale, type Decision, decisionOf, type SubjectVerdict, withoutExpired } from './decision.ts';
import { endAllFresh, endCovered, endSlot } from './ended-addresses.ts';
import type { LookupSubject } from './lookup-subject.ts';
import { TextVerdicts } from './text-verdicts.ts';
import { endOf, type Kept, TICK_MS, TICKS_A_SECOND } from './ticks.ts';
import { type CacheHit, VerdictPool, withoutAddress } from './verdict-pool.ts';

/** How many addresses are evicted at most for a new verdict, where texts fill the memory before addresses do. */
const MAX_EVICTED = 16;

export interface Explained {
  readonly verdict: SubjectVerdict;
  /** Negative for a stale verdict. */
  readonly freshForSeconds: number;
  readonly keptForSeconds: number;
}

/**
 * Verdicts by subject: addresses in compact tables, other subjects by their text. Either is bounded by `maxEntries`, and
 * text by 256 bytes an entry. A verdict is fresh for its lifetime, and stale after that for as long as it is kept: a stale
 * one is used when the backend cannot be asked.
 */
export class VerdictCache {
  readonly #settings: CacheSettings;
  readonly #staleTicks: number;
  readonly #clock: Clock;
  readonly #revalidateTicks: number;
  readonly #maxPoolBytes: number;
  #pool = new VerdictPool();
  #ipv4: AddressTable;
  #ipv6: AddressTable;
  #changes = 0;
  readonly #others: TextVerdicts;

  constructor(settings: CacheSettings, stale: StaleSettings, clock: Clock) {
    this.#settings = settings;
    this.#staleTicks = stale.ifErrorSeconds * TICKS_A_SECOND;
    this.#clock = clock;
    this.#revalidateTicks = stale.revalidateSeconds * TICKS_A_SECOND;
    this.#ipv4 = new AddressTable(1, settings.maxEntries);
    this.#ipv6 = new AddressTable(4, settings.maxEntries);
    this.#maxPoolBytes = maxPoolBytes(settings.maxEntries);
    this.#others = new TextVerdicts(settings.maxEntries, () => this.#now());
  }

  get state(): { readonly entries: number; readonly bytes: number; readonly evicted: number } {
    return {
      entries: this.#ipv4.size + this.#ipv6.size + this.#others.size,
      bytes: this.#ipv4.bytes + this.#ipv6.bytes + this.#pool.bytes + this.#others.bytes,
      evicted: this.#ipv4.evicted + this.#ipv6.evicted + this.#others.evicted,
    };
  }

  /** The verdict of a subject, and for how many seconds from now it is fresh and kept. */
  explain(subject: LookupSubject): Explained | undefined {
    const kept = this.#keptOf(subject);
    const now = this.#now();
    if (kept === undefined || kept.keptUntil <= now) return undefined;
    const seconds = (tick: number) => (tick - now) / TICKS_A_SECOND;
    const { verdict, freshUntil, keptUntil } = kept;
    return { verdict, freshForSeconds: seconds(freshUntil), keptForSeconds: seconds(keptUntil) };
  }

  /** Counts the changes. */
  get changes(): number {
    return this.#changes;
  }

  /** Removes everything; returns the number of entries. */
  clear(): number {
    const { entries } = this.state;
    this.#pool = new VerdictPool();
    this.#ipv4 = new AddressTable(1, this.#settings.maxEntries);
    this.#ipv6 = new AddressTable(4, this.#settings.maxEntries);
    this.#others.clear();
    this.#changes++;
    return entries;
  }

  /** Removes the verdict of a subject; false if there was none. */
  forget(subject: LookupSubject): boolean {
    if (this.explain(subject) === undefined) return false;
    this.#forget(subject);
    return true;
  }

  /** Ends what changed entries cover, in slices: a listed verdict stays as stale. Returns single subjects with such a verdict. */
  *end(changed: ChangedSubjects): Generator<void, LookupSubject[]> {
    this.#changes++;
    this.#others.endCovered(changed.wildcards);
    const listed = changed.single.filter((subject) => this.#end(subject));
    yield* endCovered(this.#tables, changed);
    return listed;
  }

  /** Ends all verdicts as fresh, in slices; they stay as stale ones. */
  *endAllFresh(): Generator<void> {
    this.#changes++;
    this.#others.endAllFresh();
    yield* endAllFresh(this.#tables);
  }

  get #tables() {
    return { tables: [this.#ipv4, this.#ipv6], pool: this.#pool, now: () => this.#now() };
  }

  #end(subject: LookupSubject): boolean {
    const { address } = subject;
    if (address === undefined) return this.#others.end(subject.text);
    const table = this.#tableOf(address);
    const slot = table.find(address);
    return slot >= 0 && endSlot(table, slot, this.#pool, this.#now());
  }

  /** All verdicts that are still kept, in blocks. The cache may change between two of them. */
  *snapshot(): Generator<CacheBlock> {
    const index = new VerdictIndex();
    const now = this.#now();
    for (const table of [this.#ipv4, this.#ipv6]) yield* tableBlocks(table, { pool: this.#pool, index, now });
    yield* otherBlocks(this.#others, { index, now });
  }

  /**
   * Adds the verdicts of a snapshot that is `elapsedTicks` old; returns their number. None is fresh or kept for longer than
   * the settings allow from now on.
   */
  restore(blocks: Iterable<CacheBlock>, elapsedTicks: number): number {
    const now = this.#now();
    const longestFresh = (decision: Decision) => this.#longestFresh(decision);
    const restoration = new Restoration(this.#pool, { now, elapsedTicks, longestFresh, staleTicks: this.#staleTicks });
    for (const { verdicts, ipv4, ipv6, others } of blocks) {
      restoration.add(verdicts);
      for (const [rows, table] of [
        [ipv4, this.#ipv4],
        [ipv6, this.#ipv6],
      ] as const)
        restoration.fill(table, rows);
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

  /** The fresh verdict of an address. */
  lookupAddress(address: Address, nowMs: number): CacheHit | undefined {
    const value = this.#tableOf(address).freshValue(address, (nowMs / TICK_MS) | 0, this.#revalidateTicks);
    if (value > 0) return this.#pool.hit(value);
    return value === 0 ? undefined : { verdict: this.#pool.get(-value), isRefreshDue: true };
  }

  /** The fresh verdict of any other subject. */
  lookup(text: string, nowMs: number): CacheHit | undefined {
    const kept = this.#others.get(text);
    if (kept === undefined) return undefined;
    const left = kept.freshUntil - ((nowMs / TICK_MS) | 0);
    if (left <= 0) return undefined;
    const isRefreshDue = left < this.#revalidateTicks && kept.refreshable;
    if (isRefreshDue) kept.refreshable = false;
    return { verdict: kept.verdict, isRefreshDue };
  }

  /** The verdict of a subject, fresh or stale, or its failed lookup if that is fresh: for when the backend is not asked. */
  known(subject: LookupSubject): SubjectVerdict | undefined {
    const kept = this.#keptOf(subject, true);
    const now = this.#now();
    if (kept === undefined || kept.keptUntil <= now) return undefined;
    return kept.freshUntil > now ? kept.verdict : asStale(kept.verdict);
  }

  /** The verdict of a subject as a stale one: for when the backend cannot be asked. */
  stale(subject: LookupSubject): Decision | undefined {
    const kept = this.#keptOf(subject);
    return kept === undefined || kept.keptUntil <= this.#now() ? undefined : asStale(kept.verdict);
  }

  /**
   * Caches a verdict for its lifetime by settings, but no longer than the backend allows and the entry lasts, and returns
   * its decision. An entry that has expired by this host's clock does not count.
   */
  keepVerdict(subject: LookupSubject, found: Entry | null, backendTtlSeconds: number): Decision {
    const entry = withoutExpired(found, this.#clock.epochMs());
    const { allowTtlSeconds, denyTtlSeconds } = this.#settings;
    const ownTtl = entry !== null && entry.action !== 'allow' ? denyTtlSeconds : allowTtlSeconds;
    const ttlTicks = Math.min(ownTtl, backendTtlSeconds) * TICKS_A_SECOND;
    const now = this.#now();
    const endsAt = endOf(entry, this.#clock);
    const freshUntil = Math.min(now + ttlTicks, endsAt);
    if (freshUntil <= now) {
      this.#forget(subject);
      return this.verdictOf(entry);
    }
    const keptUntil = Math.min(freshUntil + this.#staleTicks, endsAt);
    // A verdict with a lifetime shorter than twice that time would be refreshed all the time.
    const refreshable = ttlTicks >= 2 * this.#revalidateTicks && freshUntil < endsAt;
    this.#keep(subject, { verdict: decisionOf(entry, 'cache'), freshUntil, keptUntil, refreshable });
    return decisionOf(entry, 'backend');
  }

  /** The decision of an entry that is not kept. */
  verdictOf(found: Entry | null): Decision {
    const entry = withoutExpired(found, this.#clock.epochMs());
    return decisionOf(endOf(entry, this.#clock) <= this.#now() ? null : entry, 'backend');
  }

  /**
   * Caches a failed lookup, so that the subject is not looked up again at once, and returns the stale verdict of the
   * subject, if there is one, else the reason.
   */
  keepFailure(subject: LookupSubject, reason: Reason): SubjectVerdict {
    const kept = this.#keptOf(subject);
    const now = this.#now();
    const stale = kept === undefined || kept.keptUntil <= now ? undefined : asStale(kept.verdict);
    if (kept !== undefined && stale !== undefined && kept.freshUntil > now) return stale;
    const until = now + this.#settings.policyTtlSeconds * TICKS_A_SECOND;
    const keptUntil = stale === undefined ? until : (kept as Kept).keptUntil; // stale comes from kept
    const freshUntil = Math.min(until, keptUntil);
    if (freshUntil > now) this.#keep(subject, { verdict: stale ?? reason, freshUntil, keptUntil, refreshable: false });
    return stale ?? reason;
  }

  /** The backend no longer returns the cached verdict, and the new one must not be kept. */
  #forget(subject: LookupSubject): void {
    const kept = this.#keptOf(subject);
    if (kept !== undefined) this.#keep(subject, { ...kept, freshUntil: 0, keptUntil: 0 });
  }

  #keep(subject: LookupSubject, kept: Kept): void {
    this.#changes++;
    const { address } = subject;
    if (address === undefined) {
      this.#others.set(subject.text, kept);
      return;
    }
    const table = this.#tableOf(address);
    const value = this.#pool.take(withoutAddress(kept.verdict, subject));
    const gone = table.put(address, { ...kept, value }, this.#now());
    if (gone !== 0) this.#pool.release(gone);
    if (this.#pool.bytes > this.#maxPoolBytes) this.#boundTexts(table, address);
  }

  /** Evicts a few addresses if the texts of their verdicts are too large, and the newest if that is not enough. */
  #boundTexts(table: AddressTable, newest: Address): void {
    for (let left = MAX_EVICTED; left > 0 && this.#pool.bytes > this.#maxPoolBytes; left--) {
      const gone = (left > MAX_EVICTED / 2 ? table : this.#largerTable).evict(this.#now());
      if (gone !== 0) this.#pool.release(gone);
    }
    const gone = this.#pool.bytes > this.#maxPoolBytes ? table.remove(newest) : 0;
    if (gone !== 0) this.#pool.release(gone);
  }

  get #largerTable(): AddressTable {
    return this.#ipv4.size > this.#ipv6.size ? this.#ipv4 : this.#ipv6;
  }

  #keptOf(subject: LookupSubject, isUsed = false): Kept | undefined {
    const { address } = subject;
    if (address === undefined) return this.#others.peek(subject.text);
    const table = this.#tableOf(address);
    const slot = table.find(address);
    if (slot < 0) return undefined;
    if (isUsed) table.use(slot);
    return {
      verdict: this.#pool.get(table.value(slot)),
      freshUntil: table.freshUntil(slot),
      keptUntil: table.keptUntil(slot),
      refreshable: table.isRefreshable(slot),
    };
  }

  #tableOf({ words }: Address): AddressTable {
    return words === 1 ? this.#ipv4 : this.#ipv6;
  }

  #longestFresh({ action }: Decision): number {
    const { allowTtlSeconds, denyTtlSeconds } = this.#settings;
    return (action === 'allow' ? allowTtlSeconds : denyTtlSeconds) * TICKS_A_SECOND;
  }

  #now(): number {
    return Math.floor(this.#clock.nowMs() / TICK_MS);
  }
}
