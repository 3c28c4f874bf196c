import type { DegradationState } from '../decision/degradation-detector.ts';
import { newestDenies } from './decision-stats.ts';
import { mergeSeconds } from './last-minute.ts';
import { PROCESS, SECTIONS } from './metric-definitions.ts';
import { merged } from './metric-types.ts';
import type { BackendState, DecisionCount, Hits, LastError, ProcessState } from './state.ts';
import { mergeHits, mergeTop } from './top-subjects.ts';

/** Merges the states of several processes, of which there must be at least one. Other values than numbers are the first's. */
export function mergeStates(states: readonly ProcessState[]): ProcessState {
  const [first] = states;
  if (first === undefined) throw new Error('there is no state to merge');
  return {
    ...merged(PROCESS, states),
    pid: first.pid,
    startedAtMs: Math.min(...states.map(({ startedAtMs }) => startedAtMs)),
    takenAtMs: Math.max(...states.map(({ takenAtMs }) => takenAtMs)),
    decisions: addDecisions(states.flatMap(({ decisions }) => decisions)),
    recent: newestDenies(states.flatMap(({ recent }) => recent)),
    top: mergeTop(states.flatMap(({ top }) => top)),
    lastMinute: mergeSeconds(states.map(({ lastMinute }) => lastMinute)),
    cache: merged(
      SECTIONS.cache,
      states.map(({ cache }) => cache),
    ),
    backend: mergeBackends(states.map(({ backend }) => backend)),
    degradation: mergeDegradations(states.map(({ degradation }) => degradation)),
    updates: {
      ...merged(
        SECTIONS.updates,
        states.map(({ updates }) => updates),
      ),
      ...latestError(states.map(({ updates }) => updates)),
    },
    mirror: {
      ...merged(
        SECTIONS.mirror,
        states.map(({ mirror }) => mirror),
      ),
      ...latestError(states.map(({ mirror }) => mirror)),
    },
    spop: merged(
      SECTIONS.spop,
      states.map(({ spop }) => spop),
    ),
    listening: first.listening,
    config: first.config,
  };
}

/** Merges the hits of several processes. */
export function mergeProcessHits(hits: readonly Omit<Hits, 'sinceMs'>[]): Omit<Hits, 'sinceMs'> {
  return {
    isComplete: hits.every(({ isComplete }) => isComplete),
    entries: mergeHits(hits.flatMap(({ entries }) => entries)),
  };
}

/** Keeps the latest error and the earliest expiry of credentials. */
function mergeBackends(backends: readonly BackendState[]): BackendState {
  const expiries = backends.flatMap(({ credentialsExpireAtMs }) => credentialsExpireAtMs ?? []);
  return {
    ...merged(SECTIONS.backend, backends),
    urls: backends[0]?.urls ?? [],
    ...latestError(backends),
    ...(expiries.length > 0 && { credentialsExpireAtMs: Math.min(...expiries) }),
  };
}

/** The latest error of several processes, if one has any. */
function latestError(of: readonly LastError[]): LastError {
  const [latest] = of.toSorted((a, b) => (b.lastErrorAtMs ?? 0) - (a.lastErrorAtMs ?? 0));
  const { lastErrorAtMs, lastError } = latest ?? {};
  return { ...(lastErrorAtMs !== undefined && { lastErrorAtMs }), ...(lastError !== undefined && { lastError }) };
}

function mergeDegradations(states: readonly DegradationState[]): DegradationState {
  const sum = (pick: (state: DegradationState) => number) => states.reduce((total, state) => total + pick(state), 0);
  const since = states.flatMap(({ sinceMs }) => sinceMs ?? []);
  const recovered = states.flatMap(({ recoveredAtMs }) => recoveredAtMs ?? []);
  const p50s = states.flatMap(({ p50Ms }) => p50Ms ?? []);
  return {
    isDegraded: states.some(({ isDegraded }) => isDegraded),
    lookups: sum(({ lookups }) => lookups),
    byPolicy: states.map(({ byPolicy }) => byPolicy).reduce(addByReason),
    letThrough: sum(({ letThrough }) => letThrough),
    denied: sum(({ denied }) => denied),
    calls: sum(({ calls }) => calls),
    failedCalls: sum(({ failedCalls }) => failedCalls),
    ...(since.length > 0 && { sinceMs: Math.min(...since) }),
    ...(recovered.length > 0 && { recoveredAtMs: Math.max(...recovered) }),
    ...(p50s.length > 0 && { p50Ms: Math.max(...p50s) }),
  };
}

function addByReason<Counts extends Readonly<Record<string, number>>>(one: Counts, other: Counts): Counts {
  const sums = Object.entries(one).map(([reason, count]) => [reason, count + (other[reason] ?? 0)]);
  return Object.fromEntries(sums) as Counts; // the same reasons
}

function addDecisions(decisions: readonly DecisionCount[]): DecisionCount[] {
  const sums = new Map<string, { -readonly [Key in keyof DecisionCount]: DecisionCount[Key] }>();
  for (const decision of decisions) {
    const { message, action, source, list, reason, count } = decision;
    const key = [message, action, source, list, reason].join('\n');
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, { ...decision });
    else sum.count += count;
  }
  return [...sums.values()];
}
