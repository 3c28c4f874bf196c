import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 5000;

/** Resolves as soon as this is so; fails with what is there instead if it never is. */
export async function until(isSo: () => boolean | Promise<boolean>, instead: () => string): Promise<void> {
  const limitMs = performance.now() + LIMIT_MS;
  while (!(await isSo())) {
    assert.ok(performance.now() < limitMs, instead());
    await pause(5);
  }
}
