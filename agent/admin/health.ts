import { type DegradationState, policyShare } from '../decision/degradation-detector.ts';
import type { AgentState } from '../state/state.ts';

/** The readiness of this agent, and its problems. */
export interface Health {
  readonly isReady: boolean;
  /** Problems that do not make the agent unready: without it there would be no decisions at all. */
  readonly degraded: readonly string[];
}

export type HealthFacts = Pick<
  AgentState,
  'listening' | 'backend' | 'updates' | 'mirror' | 'degradation' | 'reloads' | 'config'
>;

/** The agent is ready while it listens, whatever the state of the backend. */
export function health(facts: HealthFacts): Health {
  const { listening, backend, updates, mirror, degradation, reloads, config } = facts;
  const degraded: string[] = [];
  if (backend.breaker === 'open') degraded.push('the backend is failing: the circuit breaker is open');
  if (backend.breaker === 'probing') degraded.push('the backend failed: the circuit breaker is probing it');
  if (degradation.isDegraded) degraded.push(causeOf(degradation, config.deadlineMs));
  if (updates.state === 'behind') degraded.push(behindText(updates));
  if (mirror.state === 'behind')
    degraded.push('the mirror is behind: the function is asked, and the mirror if that fails');
  if (mirror.state === 'loading') degraded.push('the mirror is not loaded yet: the function is asked');
  if (reloads.lastError !== undefined)
    degraded.push('the last reload failed: the previous configuration stays in force');
  return { isReady: listening.length > 0, degraded };
}

/** One line: `ready`, `degraded: …` or `not ready`. */
export function healthText({ isReady, degraded }: Health): string {
  if (!isReady) return 'not ready';
  return degraded.length === 0 ? 'ready' : `degraded: ${degraded.join('; ')}`;
}

function behindText({ ageSeconds }: AgentState['updates']): string {
  const proof =
    ageSeconds === null
      ? 'nothing proves that all are applied'
      : `all are proven to be applied up to ${Math.round(ageSeconds)} s ago`;
  return `updates are behind, and changes take effect as cached verdicts expire: ${proof}`;
}

function causeOf(reading: DegradationState, deadlineMs: number): string {
  const share = policyShare(reading);
  if (share === 0) return 'the backend has just recovered';
  const reasons = Object.entries(reading.byPolicy).flatMap(([reason, count]) =>
    count > 0 ? [`${reason} ${count}`] : [],
  );
  const did = reading.letThrough > 0 ? 'let through' : 'denied';
  const calls =
    reading.p50Ms === undefined
      ? 'no calls to the backend'
      : `the p50 of calls to the backend is ${Math.round(reading.p50Ms)} ms, deadlineMs is ${deadlineMs}`;
  return `${(share * 100).toFixed(1)} % of the lookups of the last 10 s were ${did} by policy (${reasons.join(', ')}); ${calls}`;
}
