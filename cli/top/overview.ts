import { cacheLookups, failed, isTooMany, totalDecisions } from '../../agent/admin/decision-totals.ts';
import { type Condition, degradedSince, degradedTexts, type Health, health } from '../../agent/admin/health.ts';
import { SnapshotInterval } from '../../agent/admin/snapshot-interval.ts';
import { type HistogramState, quantile } from '../../agent/state/histogram.ts';
import type { Second } from '../../agent/state/last-minute.ts';
import type { AgentState, RecentDeny, TopSubject } from '../../agent/state/state.ts';

/** The activity of an agent between two snapshots. Times are in seconds, `null` without measurements. */
export interface Overview {
  readonly atMs: number;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly workers: number;
  readonly uptimeSeconds: number;
  /** The interval of rates and times; since the start without an earlier snapshot of this agent. */
  readonly intervalSeconds: number;
  readonly decisionsPerSecond: number;
  /** By action and source, most frequent first. */
  readonly decisions: readonly Rate[];
  readonly decisionTime: Times;
  /** The share of lookups that the cache answered. */
  readonly hitRatio: number | null;
  readonly cache: Pick<AgentState['cache'], 'entries' | 'maxEntries' | 'bytes'> & { readonly stalePerSecond: number };
  readonly backend: BackendOverview;
  /** Whether changes are followed, and how long ago the moment was up to which all are proven to be applied. */
  readonly updates: { readonly state: AgentState['updates']['state']; readonly ageSeconds: number | null };
  /** The entries that the agent has itself. */
  readonly mirror: Pick<AgentState['mirror'], 'state' | 'ageSeconds' | 'entries' | 'bytes'>;
  readonly spop: { readonly connections: number; readonly framesPerSecond: number; readonly errors: number };
  readonly condition: Condition;
  /** The problems, if the agent is degraded. */
  readonly degraded: readonly string[];
  /** The begin of the oldest cause; null if none is known. */
  readonly degradedSinceMs: number | null;
  /** Much more is denied than usual. */
  readonly surge: Health['surge'] | null;
  readonly reloadError: string | null;
  readonly lastMinute: readonly Second[];
  readonly recent: readonly RecentDeny[];
  readonly top: readonly TopSubject[];
}

export interface Rate {
  readonly action: string;
  readonly source: string;
  readonly perSecond: number;
  readonly total: number;
}

export interface Times {
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface BackendOverview {
  readonly breaker: AgentState['backend']['breaker'];
  readonly callsPerSecond: number;
  readonly failuresPerSecond: number;
  /** Whether somebody has to look. */
  readonly isFailing: boolean;
  readonly time: Times;
  readonly queued: number;
  readonly inFlight: number;
  readonly lastErrorAtMs: number | null;
  readonly lastError: string | null;
}

/** `before` is an earlier snapshot, perhaps of another run of the agent. */
export function overviewOf(state: AgentState, before?: AgentState): Overview {
  const previous = before !== undefined && isSameRun(state, before) ? before : undefined;
  const interval = new SnapshotInterval({ state, ...(previous === undefined ? {} : { before: previous }) });
  const hits = interval.growth((of) => cacheLookups(of).hits);
  const all = interval.growth((of) => cacheLookups(of).all);
  const { backend, cache, spop } = state;
  const found = health(state);
  return {
    atMs: state.takenAtMs,
    version: state.version,
    host: state.host,
    pid: state.pid,
    workers: state.workers,
    uptimeSeconds: Math.round((state.takenAtMs - state.startedAtMs) / 1000),
    intervalSeconds: interval.seconds,
    decisionsPerSecond: interval.perSecond(totalDecisions),
    decisions: ratesOf(state, interval),
    decisionTime: timesOf(interval.histogram(({ decisionTime }) => decisionTime)),
    hitRatio: all === 0 ? null : hits / all,
    cache: {
      entries: cache.entries,
      maxEntries: cache.maxEntries,
      bytes: cache.bytes,
      stalePerSecond: interval.perSecond((of) => of.cache.stale),
    },
    backend: {
      breaker: backend.breaker,
      callsPerSecond: interval.perSecond((of) => of.backend.calls),
      failuresPerSecond: interval.perSecond(failed),
      isFailing: isFailing(state, interval),
      time: timesOf(interval.histogram(({ backendTime }) => backendTime)),
      queued: backend.queued,
      inFlight: backend.inFlight,
      lastErrorAtMs: backend.lastErrorAtMs ?? null,
      lastError: backend.lastError ?? null,
    },
    updates: { state: state.updates.state, ageSeconds: state.updates.ageSeconds },
    mirror: {
      state: state.mirror.state,
      ageSeconds: state.mirror.ageSeconds,
      entries: state.mirror.entries,
      bytes: state.mirror.bytes,
    },
    spop: {
      connections: spop.connections,
      framesPerSecond: interval.perSecond((of) => of.spop.frames),
      errors: sum(Object.values(spop.errors)),
    },
    condition: found.condition,
    degraded: degradedTexts(found),
    degradedSinceMs: degradedSince(found) ?? null,
    surge: found.surge ?? null,
    reloadError: state.reloads.lastError ?? null,
    lastMinute: state.lastMinute,
    recent: state.recent,
    top: state.top,
  };
}

function isFailing(state: AgentState, interval: SnapshotInterval): boolean {
  const { backend, degradation } = state;
  if (backend.breaker !== 'closed' || degradation.isDegraded) return true;
  const [failures, calls] = [interval.growth(failed), interval.growth((of) => of.backend.calls)];
  return !interval.isSinceStart && isTooMany(failures, calls, state);
}

/** After a restart the counts begin again. */
function isSameRun(state: AgentState, before: AgentState): boolean {
  return state.startedAtMs === before.startedAtMs && state.pid === before.pid && state.takenAtMs > before.takenAtMs;
}

function ratesOf(state: AgentState, interval: SnapshotInterval): Rate[] {
  const keys = new Map(state.decisions.map((one) => [`${one.action} ${one.source}`, one]));
  const rates = [...keys.values()].map(({ action, source }) => {
    const total = (of: AgentState) =>
      sum(of.decisions.filter((one) => one.action === action && one.source === source).map(({ count }) => count));
    return { action, source, perSecond: interval.perSecond(total), total: total(state) };
  });
  return rates.sort((a, b) => b.perSecond - a.perSecond || b.total - a.total);
}

function timesOf(histogram: HistogramState): Times {
  if (sum(histogram.counts) === 0) return { p50: null, p99: null };
  const of = (share: number) => {
    const bound = quantile(histogram, share);
    // above the last bound the value is unknown
    return Number.isFinite(bound) ? bound : (histogram.bounds.at(-1) ?? null);
  };
  return { p50: of(0.5), p99: of(0.99) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
