import type { DegradationState } from '../decision/degradation.ts';
import { addHistograms, type HistogramState } from './histogram.ts';
import { newestOf } from './ledger.ts';
import type { AgentState, BackendState, DecisionCount } from './state.ts';
import { mostOf } from './top-subjects.ts';

const BREAKERS = ['closed', 'probing', 'open'] as const;

/** One state of all workers: numbers are added, of bounds and lag the largest counts, of credentials the first to end. At least one is needed. */
export function mergeStates(states: readonly AgentState[]): AgentState {
  const [first] = states;
  if (first === undefined) throw new Error('there is no state to merge');
  const sum = (pick: (state: AgentState) => number) => states.reduce((total, state) => total + pick(state), 0);
  const most = (pick: (state: AgentState) => number) => Math.max(...states.map(pick));
  const histogram = (pick: (state: AgentState) => HistogramState) => states.map(pick).reduce(addHistograms);
  return {
    ...first,
    workers: sum(({ workers }) => workers),
    startedAtMs: Math.min(...states.map(({ startedAtMs }) => startedAtMs)),
    takenAtMs: most(({ takenAtMs }) => takenAtMs),
    decisions: addDecisions(states.flatMap(({ decisions }) => decisions)),
    recent: newestOf(states.flatMap(({ recent }) => recent)),
    top: mostOf(states.flatMap(({ top }) => top)),
    decisionTime: histogram(({ decisionTime }) => decisionTime),
    deadlineMargin: histogram(({ deadlineMargin }) => deadlineMargin),
    backendTime: histogram(({ backendTime }) => backendTime),
    eventLoopLag: {
      p50: most(({ eventLoopLag }) => eventLoopLag.p50),
      p99: most(({ eventLoopLag }) => eventLoopLag.p99),
      max: most(({ eventLoopLag }) => eventLoopLag.max),
    },
    cache: {
      entries: sum(({ cache }) => cache.entries),
      bytes: sum(({ cache }) => cache.bytes),
      maxEntries: sum(({ cache }) => cache.maxEntries),
      hits: sum(({ cache }) => cache.hits),
      misses: sum(({ cache }) => cache.misses),
      stale: sum(({ cache }) => cache.stale),
      evicted: sum(({ cache }) => cache.evicted),
    },
    backend: mergeBackends(states.map(({ backend }) => backend)),
    degradation: mergeDegradations(states.map(({ degradation }) => degradation)),
    spop: {
      connections: sum(({ spop }) => spop.connections),
      accepted: sum(({ spop }) => spop.accepted),
      frames: sum(({ spop }) => spop.frames),
      errors: addCounts(states.map(({ spop }) => spop.errors)),
      healthChecks: sum(({ spop }) => spop.healthChecks),
    },
    logLinesDropped: sum(({ logLinesDropped }) => logLinesDropped),
  };
}

function mergeBackends(backends: readonly BackendState[]): BackendState {
  const [first] = backends as readonly [BackendState]; // of at least one state
  const sum = (pick: (backend: BackendState) => number) =>
    backends.reduce((total, backend) => total + pick(backend), 0);
  const expiries = backends.flatMap(({ credentialsExpireAtMs: atMs }) => (atMs === undefined ? [] : [atMs]));
  const last = backends.toSorted((a, b) => (b.lastErrorAtMs ?? 0) - (a.lastErrorAtMs ?? 0))[0];
  return {
    ...first,
    calls: sum(({ calls }) => calls),
    subjects: sum(({ subjects }) => subjects),
    failures: addCounts(backends.map(({ failures }) => failures)),
    breaker: BREAKERS[Math.max(...backends.map(({ breaker }) => BREAKERS.indexOf(breaker)))] ?? first.breaker,
    queued: sum(({ queued }) => queued),
    inFlight: sum(({ inFlight }) => inFlight),
    budgetWaits: sum(({ budgetWaits }) => budgetWaits),
    notCounted: sum(({ notCounted }) => notCounted),
    throttled: sum(({ throttled }) => throttled),
    callsPerSecond: sum(({ callsPerSecond }) => callsPerSecond),
    refused: addCounts(backends.map(({ refused }) => refused)),
    ...(expiries.length > 0 && { credentialsExpireAtMs: Math.min(...expiries) }),
    ...(last?.lastErrorAtMs === undefined ? {} : { lastErrorAtMs: last.lastErrorAtMs }),
    ...(last?.lastError === undefined ? {} : { lastError: last.lastError }),
  };
}

function mergeDegradations(states: readonly DegradationState[]): DegradationState {
  const sum = (pick: (state: DegradationState) => number) => states.reduce((total, state) => total + pick(state), 0);
  const since = states.flatMap(({ sinceMs }) => sinceMs ?? []);
  const p50s = states.flatMap(({ p50Ms }) => p50Ms ?? []);
  return {
    isDegraded: states.some(({ isDegraded }) => isDegraded),
    lookups: sum(({ lookups }) => lookups),
    byPolicy: addCounts(states.map(({ byPolicy }) => byPolicy)),
    letThrough: sum(({ letThrough }) => letThrough),
    denied: sum(({ denied }) => denied),
    calls: sum(({ calls }) => calls),
    failedCalls: sum(({ failedCalls }) => failedCalls),
    ...(since.length > 0 && { sinceMs: Math.min(...since) }),
    ...(p50s.length > 0 && { p50Ms: Math.max(...p50s) }),
  };
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

function addCounts<T extends Readonly<Record<string, number>>>(counts: readonly T[]): T {
  const sums: Record<string, number> = {};
  for (const one of counts) for (const [name, count] of Object.entries(one)) sums[name] = (sums[name] ?? 0) + count;
  return sums as T; // the same names
}
