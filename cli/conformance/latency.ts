import { CheckFailed, lookedUp } from './expect.ts';
import type { CheckOptions, Target } from './target.ts';

/** The default of backend.timeoutMs. */
const AGENT_TIMEOUT_MS = 2000;
/** More late calls than this share fail the check. */
const MAX_LATE = 0.05;

/** One call after the other, as an agent under low load makes them; fails if p99 exceeds the agent's timeout. */
export async function latency(target: Target, { lists, calls, timeoutMs }: CheckOptions): Promise<string> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const subjects = [`ip:203.0.113.${call % 256}`];
    const answer = await target.check({ lists: [...lists], subjects });
    lookedUp(answer, subjects);
    times.push(answer.ms);
  }
  const seen = `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms of ${calls} calls`;
  const limitMs = timeoutMs ?? AGENT_TIMEOUT_MS;
  const unless = timeoutMs === undefined ? ' unless backend.timeoutMs is set' : '';
  if (percentile(times, 0.99) > limitMs) throw new CheckFailed(`${seen}: the agent waits ${limitMs} ms${unless}`);
  return seen;
}

/** Checks whether the calls of `latency` met the deadline of a message; after it the policy decides. */
export function deadline({ exchanges }: Target, { calls }: CheckOptions, deadlineMs: number): string {
  const times = exchanges.slice(-calls).map(({ answer }) => answer.ms);
  const late = times.filter((ms) => ms > deadlineMs).length;
  const seen = `${late} of ${times.length} calls took longer than deadlineMs (${deadlineMs})`;
  if (late > times.length * MAX_LATE)
    throw new CheckFailed(`${seen}, p50 ${percentile(times, 0.5).toFixed(1)} ms: the policy decides such lookups`);
  return seen;
}

/** Nearest-rank percentile. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0;
}
