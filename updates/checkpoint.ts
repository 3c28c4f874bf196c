import { type BuilderDeps, putMirror } from './building.ts';
import { type FoldedLog, foldedLog, foldOn } from './folded-log.ts';
import type { Manifest } from './manifest.ts';
import { type Head, packStates, recordAfter } from './record.ts';

export const CHECKPOINT_EVERY_MS = 3_600_000;
/** A mirror is made anew after so many changes, or after this share of its entries. */
export const OUTDATED = { least: 20_000, share: 0.2 } as const;
/** How often it is tried while writers append. */
const TRIES = 20;

/** The newest mirror now, or why there is no checkpoint: the log or the segments are incomplete, or another builder was first. */
export type CheckpointOutcome = Manifest | 'incomplete' | 'too many lists' | 'overtaken';

export function isCheckpointDue(tail: Head, manifest: Manifest | undefined, nowMs: number): boolean {
  if (manifest === undefined || manifest.isTooLarge) return false;
  return nowMs - tail.checkedMs >= CHECKPOINT_EVERY_MS || isOutdated(tail, manifest);
}

/** Appends what each list has at the end of the log, for agents to compare; makes a new mirror if the old one is far behind. */
export async function appendCheckpoint(manifest: Manifest, deps: BuilderDeps): Promise<CheckpointOutcome> {
  let folded = await foldedLog(manifest, deps);
  for (let left = TRIES; left > 0; left--) {
    if (folded === undefined) return 'incomplete';
    const { fold, at }: FoldedLog = folded;
    if (at.base !== manifest.place.base) return 'overtaken';
    const checkpoint = packStates(fold.states);
    if (checkpoint === undefined) return 'too many lists';
    const record = recordAfter(at, { checkpoint, checkedMs: deps.clock() }, deps);
    if (await deps.log.put(record)) {
      if (!isOutdated(record, manifest)) return manifest;
      const { scannedMs, isTooLarge } = manifest;
      return (await putMirror({ fold, at: record }, { scannedMs, isTooLarge }, manifest, deps)) ?? 'overtaken';
    }
    folded = await foldOn(fold, at, deps);
  }
  return 'overtaken';
}

function isOutdated({ changes }: Head, manifest: Manifest): boolean {
  const entries = manifest.segments.reduce((sum, segment) => sum + segment.entries, 0);
  return changes - manifest.changes > Math.max(OUTDATED.least, OUTDATED.share * entries);
}
