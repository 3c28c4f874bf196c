/** Lambda's limit of requests per second for one execution environment. */
export const CALLS_PER_COPY = 10;
const USUAL_MS = 1000;

/** How long agents wait between two polls: a second, or so long that all of these take half of the calls. */
export function pollWaitMs(copies: number, agents: number): number {
  return Math.max(USUAL_MS, leastPollWaitMs(copies, agents));
}

export function leastPollWaitMs(copies: number, agents: number): number {
  return Math.ceil((2 * agents * 1000) / (copies * CALLS_PER_COPY));
}
