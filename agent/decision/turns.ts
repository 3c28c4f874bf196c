import type { Clock } from './clock.ts';

/** Resolves in another turn of the event loop. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(0, resolve));
}

/** Runs what comes in slices: one in a turn, or more until so many milliseconds are over, with other work in between. */
export async function inTurns<Result>(slices: Generator<void, Result>, clock: Clock, turnMs = 0): Promise<Result> {
  let untilMs = clock.nowMs() + turnMs;
  for (;;) {
    const { done, value } = slices.next();
    if (done) return value;
    if (clock.nowMs() < untilMs) continue;
    await nextTurn(clock);
    untilMs = clock.nowMs() + turnMs;
  }
}
