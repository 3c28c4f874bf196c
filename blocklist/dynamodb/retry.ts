import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../store.ts';
import { throttlesIn } from './error.ts';

/** Waits for this many milliseconds. */
export type Wait = (ms: number) => Promise<unknown>;

const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 5000;
/** Calls in a row without progress; with the waits between them about half a minute. */
const TRIES_WITHOUT_PROGRESS = 12;

/**
 * Calls until every piece is processed: DynamoDB leaves part of a batch unprocessed when it throttles or an answer is full.
 * The wait grows with each call without progress, and has jitter, so that many callers do not retry together.
 *
 * `call` returns the unprocessed pieces. If it throws because of throttling, all count as unprocessed.
 */
export async function untilDone<Piece>(
  pieces: readonly Piece[],
  call: (left: readonly Piece[]) => Promise<readonly Piece[]>,
  { what, wait = delay }: { readonly what: string; readonly wait?: Wait },
): Promise<void> {
  let left = pieces;
  for (let idle = 0; left.length > 0; ) {
    const before = left.length;
    left = await throttledAsLeft(left, call);
    idle = left.length < before ? 0 : idle + 1;
    if (idle === TRIES_WITHOUT_PROGRESS)
      throw new StoreError(`${what} left ${left.length} undone after ${idle} tries: DynamoDB is throttling`);
    if (left.length > 0) await wait(Math.min(FIRST_WAIT_MS * 2 ** idle, MAX_WAIT_MS) * (0.5 + Math.random()));
  }
}

async function throttledAsLeft<Piece>(
  pieces: readonly Piece[],
  call: (left: readonly Piece[]) => Promise<readonly Piece[]>,
): Promise<readonly Piece[]> {
  try {
    return await call(pieces);
  } catch (error) {
    if (error instanceof StoreError && throttlesIn(error.cause) > 0) return pieces;
    throw error;
  }
}
