import type { LogPlace } from '../backend/backend.ts';
import type { Clock } from '../decision/clock.ts';
import type { LocalMirror } from './local-mirror.ts';
import { fileKey, MirrorFileError, readMirrorFile } from './mirror-file.ts';

export interface Restored {
  readonly place: LogPlace;
  readonly ageSeconds: number;
  readonly wholeBytes: number;
}

/** Puts the mirror of a file into use; undefined if there is no file. Throws, with nothing changed, if it cannot be used. */
export async function restoredFrom(
  path: string,
  key: string,
  mirror: LocalMirror,
  clock: Clock,
): Promise<Restored | undefined> {
  const read = readMirrorFile(path, fileKey(key));
  if (read === undefined) return undefined;
  await mirror.apply(read.begin);
  let cursor = read.begin.manifest.cursor;
  let askedMs = 0;
  for (const step of read.steps()) {
    await mirror.apply(step.kind === 'page' ? { ...step, isForNext: true } : step);
    if (step.kind !== 'page') continue;
    cursor = step.place?.cursor ?? cursor;
    askedMs = step.askedAt?.epochMs ?? askedMs;
  }
  const ageMs = clock.epochMs() - askedMs;
  if (ageMs < 0) throw new MirrorFileError('has a time in the future: was the clock set back?');
  await mirror.apply({ kind: 'swap', isOld: true });
  const { url } = read.begin;
  return { place: { url, cursor }, ageSeconds: ageMs / 1000, wholeBytes: read.wholeBytes };
}
