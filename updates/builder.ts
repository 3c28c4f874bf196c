import type { BuilderDeps, Unfinished } from './building.ts';
import { appendCheckpoint, isCheckpointDue } from './checkpoint.ts';
import type { Manifest } from './manifest.ts';
import { type Head, NO_BASE } from './record.ts';
import { scanTable } from './scan.ts';
import { isTrialDue, tryCanaries } from './trial.ts';

export const SCAN_EVERY_MS = 24 * 3_600_000;
/** Where the table was too large: a scan is slow also while DynamoDB throttles. */
const SCAN_AGAIN_MS = 6 * 3_600_000;

/** What a run did. */
export interface Built {
  /** When the newest mirror was made, in milliseconds since 1970; undefined if there is none. */
  readonly madeMs: number | undefined;
  /** Keys that the log was wrong about, with the same version of the builder as before: another one may read items otherwise. */
  readonly repairs: number;
  readonly told: readonly Told[];
}

/** What is worth a line in the log. */
export type Told =
  | { readonly what: 'mirror'; readonly why: string; readonly entries: number; readonly segments: number }
  | { readonly what: 'too large' }
  | { readonly what: 'differences'; readonly keys: number; readonly isRepair: boolean }
  | { readonly what: 'canaries'; readonly canaries: readonly string[] }
  | { readonly what: 'unfinished'; readonly task: string; readonly why: Unfinished }
  | { readonly what: 'too many lists' };

/** Does what is due, each minute: seldom anything. */
export async function build(deps: BuilderDeps): Promise<Built> {
  const [tail, manifest] = await Promise.all([deps.log.tail(), deps.mirrors.manifest()]);
  const why = scanReason(tail, manifest, deps);
  const nowMs = deps.clock();
  const isTrial = why === undefined && tail !== undefined && isTrialDue(tail, nowMs);
  const isCheckpoint = why === undefined && tail !== undefined && isCheckpointDue(tail, manifest, nowMs);
  if (why === undefined && !isTrial && !isCheckpoint) return idle(manifest);
  if (!(await deps.lease())) return idle(manifest);
  if (why !== undefined) return await scan(manifest, why, deps);
  const tried = isTrial ? await trial(deps) : [];
  const { told, ...built } = isCheckpoint && manifest ? await checkpoint(manifest, deps) : idle(manifest);
  return { ...built, told: [...tried, ...told] };
}

function idle(manifest: Manifest | undefined): Built {
  return { madeMs: manifest?.madeMs, repairs: 0, told: [] };
}

/** Why the table has to be scanned; undefined if it need not be. */
function scanReason(
  tail: Head | undefined,
  manifest: Manifest | undefined,
  { clock, version }: BuilderDeps,
): string | undefined {
  if (tail === undefined || tail.base === NO_BASE) return 'no base';
  if (manifest === undefined) return 'no mirror';
  if (manifest.place.base !== tail.base) return 'mirror of another base';
  if (manifest.version !== version) return 'another version';
  const everyMs = manifest.isTooLarge ? SCAN_AGAIN_MS : SCAN_EVERY_MS;
  return clock() - manifest.scannedMs >= everyMs ? 'last scan long ago' : undefined;
}

async function scan(manifest: Manifest | undefined, why: string, deps: BuilderDeps): Promise<Built> {
  const scanned = await scanTable(manifest, deps);
  if (typeof scanned === 'string')
    return { ...idle(manifest), told: [{ what: 'unfinished', task: 'scan', why: scanned }] };
  const { manifest: made, differences } = scanned;
  const isSameVersion = manifest?.version === deps.version;
  const told: Told[] = [made.isTooLarge ? { what: 'too large' } : madeOf(made, why)];
  if (differences > 0) told.push({ what: 'differences', keys: differences, isRepair: isSameVersion });
  return { madeMs: made.madeMs, repairs: isSameVersion ? differences : 0, told };
}

async function trial(deps: BuilderDeps): Promise<Told[]> {
  const tried = await tryCanaries(deps);
  if (typeof tried !== 'string') return [{ what: 'canaries', canaries: Object.keys(tried.beats) }];
  return [{ what: 'unfinished', task: 'trial of canaries', why: tried }];
}

async function checkpoint(manifest: Manifest, deps: BuilderDeps): Promise<Built> {
  const made = await appendCheckpoint(manifest, deps);
  if (made === 'incomplete') return await scan(manifest, 'log or segments incomplete', deps);
  if (made === 'too many lists') return { ...idle(manifest), told: [{ what: 'too many lists' }] };
  if (made === 'overtaken') return { ...idle(manifest), told: [{ what: 'unfinished', task: 'checkpoint', why: made }] };
  return made === manifest ? idle(manifest) : { ...idle(made), told: [madeOf(made, 'many changes')] };
}

function madeOf({ segments }: Manifest, why: string): Told {
  const entries = segments.reduce((sum, segment) => sum + segment.entries, 0);
  return { what: 'mirror', why, entries, segments: segments.length };
}
