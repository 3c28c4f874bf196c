import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

/** A guard against a wait that never ends; on a busy machine a process takes seconds to start. */
const LIMIT_MS = 20_000;
/** Between two looks at what this process knows, and between two questions to another one, whose answers cost it something. */
const LOOK_MS = 5;
const ASK_MS = 25;

/** Resolves as soon as this is so; fails with what is there instead if it never is. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  instead: () => string,
  limitMs = LIMIT_MS,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = isSo();
    if (await found) return;
    assert.ok(performance.now() < endMs, instead());
    await pause(typeof found === 'boolean' ? LOOK_MS : ASK_MS);
  }
}
