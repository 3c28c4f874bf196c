import { append, type ChangeKey } from './append.ts';
import { type BuilderDeps, putMirror, type Unfinished } from './building.ts';
import { roundOf } from './canary-round.ts';
import { changeOfScanned } from './change.ts';
import { Fold, sameEntry } from './fold.ts';
import { type FoldedLog, foldedLog, foldOn } from './folded-log.ts';
import type { Manifest } from './manifest.ts';
import { type Beats, type Head, NO_BASE, recordAfter } from './record.ts';
import { findCanaries } from './trial.ts';

/** More differences are not repaired one by one: a new base has all agents load the mirror. */
const MAX_REPAIRS = 20_000;
/** What a mirror has at most, so that its builder has the memory. */
const MAX_ENTRIES = 3_000_000;
const SCAN_LIMIT_MS = 8 * 60_000;
/** Before the scan, so that none is made in vain, and after it. */
const ROUND_LIMIT_MS = { before: 15_000, after: 3 * 60_000 } as const;
const KEEP_LEASE_MS = 30_000;
/** Events have whole seconds, by another clock. */
const CLOCKS_MS = 2000;

/** The mirror that was made, and how many keys the log was wrong about. */
export interface Scanned {
  readonly manifest: Manifest;
  readonly differences: number;
}

/**
 * Makes a mirror of the whole table, at a place in the log that is proven to have every change:
 *
 * ```
 * end n of the log ─▶ scan ─▶ barrier: canaries written after it are in the log ─▶ what the log says from n to its end, m
 * ```
 *
 * Each change before the end of the scan has its record up to m, and each later one states its key again. If the log has a
 * base, what differs is appended; else a record with a new base follows, given up if another builder was first.
 */
export async function scanTable(manifest: Manifest | undefined, deps: BuilderDeps): Promise<Scanned | Unfinished> {
  const tail = await deps.log.tail();
  const hasBase = tail !== undefined && tail.base !== NO_BASE && tail.base === manifest?.place.base;
  const beats = hasBase ? await roundOf(roundBefore(tail), deps) : await findCanaries(deps);
  const began = await deps.log.tail();
  if (beats === undefined || began === undefined) return 'events are late';
  if (tail !== undefined && isOther(began, tail)) return 'overtaken';

  const fold = await scanned(deps);
  if (fold === 'overtaken') return fold;
  const sinceMs = deps.clock();
  await deps.wait(CLOCKS_MS);
  const limitMs = ROUND_LIMIT_MS.after;
  const newest = await roundOf({ canaries: Object.keys(beats), sinceMs, limitMs }, deps);
  if (newest === undefined) return 'events are late';
  const scan = await foldOn(fold ?? new Fold(), began, deps);
  if (scan === undefined || isOther(scan.at, began)) return 'overtaken';

  const about = { scannedMs: sinceMs, isTooLarge: fold === undefined };
  const differing = hasBase && fold !== undefined ? await differences(scan, manifest, deps) : [];
  const isGiven = hasBase && differing.length <= MAX_REPAIRS;
  const placed = isGiven ? await repaired(scan, differing, deps) : await withNewBase(scan, newest, deps);
  if (placed === undefined || (isGiven && isOther(placed.at, began))) return 'overtaken';
  const made = await putMirror(fold === undefined ? { ...placed, fold: new Fold() } : placed, about, manifest, deps);
  return made === undefined ? 'overtaken' : { manifest: made, differences: differing.length };
}

function roundBefore({ beats }: Head) {
  return { canaries: Object.keys(beats), sinceMs: Number.NEGATIVE_INFINITY, limitMs: ROUND_LIMIT_MS.before };
}

function isOther(a: Head, b: Head): boolean {
  return a.base !== b.base || a.stream !== b.stream;
}

/** What the table has; undefined if that is more than a mirror can have. */
async function scanned({ scan, lease, clock }: BuilderDeps): Promise<Fold | 'overtaken' | undefined> {
  const fold = new Fold();
  const untilMs = clock() + SCAN_LIMIT_MS;
  let keptMs = Number.NEGATIVE_INFINITY;
  let entries = 0;
  for await (const item of scan()) {
    const nowMs = clock();
    if (nowMs - keptMs >= KEEP_LEASE_MS) {
      if (!(await lease())) return 'overtaken';
      keptMs = nowMs;
    }
    const change = changeOfScanned(item);
    if (change === undefined) continue;
    fold.apply(change);
    if (++entries > MAX_ENTRIES || nowMs > untilMs) return undefined;
  }
  return fold;
}

/** The keys of which the log says something else than the scan, at the same place; none if the log cannot be folded. */
async function differences({ fold, at }: FoldedLog, manifest: Manifest, deps: BuilderDeps): Promise<ChangeKey[]> {
  const said = manifest.isTooLarge ? undefined : await foldedLog(manifest, deps, at.number);
  if (said === undefined) return [];
  const lists = new Set([...fold.lists, ...said.fold.lists]);
  return [...lists].flatMap((list) => {
    const [is, was] = [fold.entriesOf(list), said.fold.entriesOf(list)];
    const other = [...is].flatMap(([subject, entry]) => (sameEntry(entry, was.get(subject)) ? [] : [subject]));
    const gone = [...was.keys()].filter((subject) => !is.has(subject));
    return [...other, ...gone].map((subject) => ({ subject, list }));
  });
}

/** Appends what is true of these keys. */
async function repaired(
  scan: FoldedLog,
  keys: readonly ChangeKey[],
  deps: BuilderDeps,
): Promise<FoldedLog | undefined> {
  if (keys.length === 0) return scan;
  await append({ keys, canaries: {}, stream: scan.at.stream, oldestMs: Number.POSITIVE_INFINITY }, deps);
  return await foldOn(scan.fold, scan.at, deps);
}

/** Appends a record with a new base; undefined if another builder was first, or the stream is another one. */
async function withNewBase(scan: FoldedLog, newest: Beats, deps: BuilderDeps): Promise<FoldedLog | undefined> {
  let folded: FoldedLog | undefined = scan;
  while (folded !== undefined && !isOther(folded.at, scan.at)) {
    const own = { base: deps.newId(), beats: newest, triedMs: deps.clock(), checkedMs: deps.clock() };
    const record = recordAfter(folded.at, own, deps);
    if (await deps.log.put(record)) return { fold: folded.fold, at: record };
    folded = await foldOn(folded.fold, folded.at, deps);
  }
  return undefined;
}
