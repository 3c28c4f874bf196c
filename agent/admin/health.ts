import type { AgentState } from '../state/state.ts';

/** Whether HAProxy should be sent to this agent, and what keeps it from its best. */
export interface Health {
  readonly isReady: boolean;
  /** What is wrong and yet no reason to take the agent away: without it nothing would be decided at all. */
  readonly degraded: readonly string[];
}

/** Ready is who listens with a configuration; a backend in trouble makes nobody unready. */
export function health({ listening, backend, reloads }: AgentState): Health {
  const degraded: string[] = [];
  if (backend.breaker === 'open') degraded.push('the backend fails and is not asked for now');
  if (backend.breaker === 'probing') degraded.push('the backend failed and is being tried again');
  if (reloads.lastError !== undefined)
    degraded.push('the last reload failed and the earlier configuration is in force');
  return { isReady: listening.length > 0, degraded };
}

/** One line: `ready`, `degraded: …` or `not ready`. */
export function healthText({ isReady, degraded }: Health): string {
  if (!isReady) return 'not ready';
  return degraded.length === 0 ? 'ready' : `degraded: ${degraded.join('; ')}`;
}
