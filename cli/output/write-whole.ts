import { open, rename, rm } from 'node:fs/promises';

/**
 * Replaces a file atomically: its readers never see a partial one. Follows no link. A failure leaves the old file as it was,
 * and removes what stood under the temporary name, so that the next run succeeds.
 */
export async function writeWhole(
  path: string,
  parts: Iterable<string> | AsyncIterable<string>,
  mode = 0o666,
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      for await (const part of parts) await file.write(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error says more
    throw error;
  }
}
