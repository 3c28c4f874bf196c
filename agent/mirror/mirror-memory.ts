/** Texts of all entries that are no addresses, and of classes, with what stands for them: bounds of their own. */
const MAX_TEXT_BYTES = 48 * 1024 * 1024;
const MAX_CLASS_BYTES = 40 * 1024 * 1024;
/** Of one entry at most, in either. */
const USUAL_BYTES = 512;

/** The most that a mirror of so many entries takes on the JavaScript heap. */
export function maxMirrorHeapBytes(maxEntries: number): number {
  const own = maxEntries * USUAL_BYTES;
  return Math.min(MAX_TEXT_BYTES, own) + Math.min(MAX_CLASS_BYTES, own);
}
