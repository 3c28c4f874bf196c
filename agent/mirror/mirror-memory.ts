/** Bounds of what is on the heap: all entries that are found by text, and all classes. */
export const MAX_TEXT_BYTES = 48 * 1024 * 1024;
export const MAX_CLASS_BYTES = 40 * 1024 * 1024;
/** Of one entry at most, in either: with the longest key, its subject, or the longest class. */
const LARGEST_BYTES = 16 * 1024;

/** The most that a mirror of so many entries takes on the JavaScript heap. */
export function maxMirrorHeapBytes(maxEntries: number): number {
  const own = maxEntries * LARGEST_BYTES;
  return Math.min(MAX_TEXT_BYTES, own) + Math.min(MAX_CLASS_BYTES, own);
}
