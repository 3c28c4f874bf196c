import type { Asked } from './checks.ts';
import { lookedUp, Unfit } from './expect.ts';
import type { Target } from './target.ts';

/** What the agent waits for at most unless it is told otherwise: backend.timeoutMs. */
const AGENT_TIMEOUT_MS = 2000;

/** One call after the other, as a quiet agent makes them. Only what the agent could not wait for is a failure. */
export async function latency(target: Target, { lists, calls }: Asked): Promise<string> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const subjects = [`ip:203.0.113.${call % 256}`];
    const answer = await target.check({ lists: [...lists], subjects });
    lookedUp(answer, subjects);
    times.push(answer.ms);
  }
  const seen = `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms of ${calls} calls`;
  if (percentile(times, 0.99) > AGENT_TIMEOUT_MS)
    throw new Unfit(`${seen}: the agent waits ${AGENT_TIMEOUT_MS} ms unless backend.timeoutMs says otherwise`);
  return seen;
}

/** The nearest value that so large a share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0;
}
