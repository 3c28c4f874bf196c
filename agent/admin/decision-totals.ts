import { isAction, isDenied } from '../../contract/actions.ts';
import { isLookupReason, MIN_LOOKUPS } from '../decision/degradation-detector.ts';
import type { AgentState, DecisionCount } from '../state/state.ts';

/** The sources of decisions that needed more than fresh verdicts of the cache. */
const NOT_CACHED: ReadonlySet<string> = new Set(['backend', 'stale', 'policy']);

/** Decisions that are shown in one row. */
export interface Row {
  readonly key: string;
  readonly message: string;
  readonly action: string;
  readonly source: string;
  /** The list that decided, or the reason of the policy. */
  readonly because: string;
  readonly count: number;
}

export function isDenial(action: string): boolean {
  return isAction(action) && isDenied(action);
}

export function totalDecisions(state: Pick<AgentState, 'decisions'>): number {
  return sumOf(state, () => true);
}

export function totalDenied(state: Pick<AgentState, 'decisions'>): number {
  return sumOf(state, ({ action }) => isDenial(action));
}

export function byPolicy(state: AgentState): number {
  return sumOf(state, ({ source }) => source === 'policy');
}

/** Decisions of the policy because something failed here, and not because of what a client sent. */
export function byPolicyAfterFailure(state: AgentState): number {
  return sumOf(
    state,
    ({ source, reason }) => source === 'policy' && (isLookupReason(reason) || reason === 'script_error'),
  );
}

/** Whether so large a part of lookups or calls failed that somebody has to look: as where the agent becomes degraded. */
export function isTooMany(part: number, whole: number, { config }: Pick<AgentState, 'config'>): boolean {
  return whole >= MIN_LOOKUPS && (100 * part) / whole > config.backend.degradedPercent;
}

/** Calls to the backend that failed. */
export function failed({ backend }: AgentState): number {
  return Object.values(backend.failures).reduce((sum, times) => sum + times, 0);
}

/** The decisions from fresh verdicts of the cache, and all that asked the cache. */
export function cacheLookups(state: AgentState): { hits: number; all: number } {
  const { hits } = state.cache;
  return { hits, all: hits + sumOf(state, ({ source }) => NOT_CACHED.has(source)) };
}

/** The rows, most frequent first. */
export function decisionRows({ decisions }: AgentState): Row[] {
  const rows = new Map<string, Row>();
  for (const { message, action, source, list, reason, count } of decisions) {
    const because = source === 'policy' ? reason : list;
    const key = [message, action, source, because].join('\n');
    rows.set(key, { key, message, action, source, because, count: (rows.get(key)?.count ?? 0) + count });
  }
  return [...rows.values()].sort((a, b) => b.count - a.count || a.key.localeCompare(b.key));
}

function sumOf({ decisions }: Pick<AgentState, 'decisions'>, counts: (decision: DecisionCount) => boolean): number {
  return decisions.reduce((sum, decision) => sum + (counts(decision) ? decision.count : 0), 0);
}
