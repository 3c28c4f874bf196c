import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { MAX_SEGMENTS, type Mirror, Segment } from '../contract/mirror.ts';
import { ListStates } from '../contract/updates.ts';
import { cursorOf, START } from './cursor.ts';
import { NO_STATE } from './digest.ts';

/** The mirror of all lists, as it is stored. */
export const Manifest = z.object({
  id: z.string(),
  /** The record up to which the log is in it. */
  place: z.object({ base: z.string(), number: z.number(), id: z.string() }),
  /** How many changes the log had had up to there. */
  changes: z.number(),
  /** When it was made, and when the table was last scanned for it or for one that it was made of. */
  madeMs: z.number(),
  scannedMs: z.number(),
  /** What reads items in one way: another one may mean something else by the same item. */
  version: z.string(),
  /** There are no segments since the table has more entries, or takes longer to read, than a mirror can have. */
  isTooLarge: z.boolean(),
  lists: ListStates,
  segments: z.array(Segment),
});
export type Manifest = z.infer<typeof Manifest>;

/** Where mirrors are stored. */
export interface Mirrors {
  /** The newest one, read consistently; undefined if there is none. */
  manifest(): Promise<Manifest | undefined>;
  /** Puts a manifest if the newest one has this id still, or there is still none; returns whether it did. */
  putManifest(manifest: Manifest, replaced: string | undefined): Promise<boolean>;
  /** A segment with gzip. */
  segment(id: string, n: number): Promise<Uint8Array | undefined>;
  /** Adds one, with its expiry in epoch seconds. */
  putSegment(id: string, n: number, packed: Uint8Array, expiresAt: number): Promise<void>;
}

/** All that is put is read back; it has a few hundred bytes for each of 5000 segments. */
const MAX_BYTES = 8 * 1024 * 1024;

export function packManifest(manifest: Manifest): Uint8Array {
  return gzipSync(JSON.stringify(manifest));
}

/** The manifest; one of a later version is of no base, so that it is replaced. */
export function unpackManifest(packed: Uint8Array, id: string): Manifest {
  try {
    return Manifest.parse(JSON.parse(gunzipSync(packed, { maxOutputLength: MAX_BYTES }).toString('utf8')));
  } catch {
    const nothing = { changes: 0, madeMs: 0, scannedMs: 0, version: '', isTooLarge: false, lists: {}, segments: [] };
    return { id, place: START, ...nothing };
  }
}

/** What an agent is told that asks for these lists; undefined if they have too many segments. */
export function mirrorOf(
  { id, place, lists: states, segments: all }: Manifest,
  lists: readonly string[],
  nowMs: number,
): Mirror | undefined {
  const segments = all.filter(({ list }) => lists.includes(list));
  if (segments.length > MAX_SEGMENTS) return undefined;
  const own = Object.fromEntries(lists.map((list) => [list, states[list] ?? NO_STATE]));
  return { id, cursor: cursorOf(place), position: place.number, lists: own, segments, now: nowMs };
}
