import type { Settings } from '../../config/settings.ts';
import type { VerdictCache } from '../decision/cache.ts';
import type { DegradationState } from '../decision/degradation-detector.ts';
import type { Loader } from '../decision/loader.ts';
import type { AppliedUpdates } from '../updates/applied-updates.ts';
import type { LocalMirror } from '../updates/local-mirror.ts';
import type { DecisionStats } from './decision-stats.ts';
import { COUNTERS } from './metric-definitions.ts';
import { copyOf } from './metric-types.ts';
import type { ProcessMetrics } from './process-metrics.ts';
import type { DecisionCount, ProcessState, UpdatesState } from './state.ts';

interface Parts {
  readonly settings: Settings;
  readonly metrics: ProcessMetrics;
  readonly stats: DecisionStats;
  readonly cache: VerdictCache['state'];
  readonly loader: Loader['state'];
  readonly degradation: DegradationState;
  readonly updates: Pick<AppliedUpdates, 'isOff' | 'ageMs'>;
  readonly mirror: LocalMirror['state'];
  /** Open connections of HAProxy. */
  readonly connections: number;
  readonly credentialsExpireAtMs: number | undefined;
}

type StateOfParts = Omit<ProcessState, 'startedAtMs' | 'takenAtMs' | 'listening' | 'logLinesDropped'>;

/** The state of one process, read from its parts. */
export function processState(parts: Parts): StateOfParts {
  const { settings, metrics, stats, cache, loader, degradation, updates, mirror } = parts;
  const { connections, credentialsExpireAtMs } = parts;
  const { counters } = metrics;
  const { decisions, recent, top } = stats.state;
  // Decisions on messages without subjects are not cache hits.
  const lookingUp = new Set(settings.messages.filter(({ subjects }) => subjects.length > 0).map(({ name }) => name));
  const countFrom = (wanted: DecisionCount['source']) =>
    decisions.reduce(
      (sum, { message, source, count }) => sum + (source === wanted && lookingUp.has(message) ? count : 0),
      0,
    );
  return {
    pid: process.pid,
    decisions,
    recent,
    top,
    lastMinute: metrics.lastMinute,
    ...copyOf(COUNTERS.times, counters),
    eventLoopLag: metrics.takeLag(),
    cache: {
      ...copyOf(COUNTERS.cache, counters),
      ...cache,
      maxEntries: settings.cache.maxEntries,
      hits: countFrom('cache'),
      stale: countFrom('stale'),
    },
    backend: {
      ...copyOf(COUNTERS.backend, counters),
      ...loader,
      urls: settings.backend.targets.map(({ url }) => url),
      ...metrics.lastFailure,
      ...(credentialsExpireAtMs !== undefined && { credentialsExpireAtMs }),
    },
    updates: { ...copyOf(COUNTERS.updates, counters), ...readingsOf(updates, settings), ...metrics.pollFailure },
    mirror: { ...copyOf(COUNTERS.mirror, counters), ...mirror, ...metrics.loadFailure },
    spop: { ...copyOf(COUNTERS.spop, counters), connections },
    degradation,
    config: settings,
  };
}

/** Live if a cached verdict is never older than it could be without updates. */
function readingsOf(
  { isOff, ageMs }: Parts['updates'],
  { updates, cache }: Settings,
): Pick<UpdatesState, 'state' | 'ageSeconds'> {
  if (isOff || updates.mode === 'off') return { state: 'off', ageSeconds: null };
  const ageSeconds = ageMs / 1000;
  return {
    state: ageSeconds <= cache.allowTtlSeconds ? 'live' : 'behind',
    ageSeconds: Number.isFinite(ageSeconds) ? ageSeconds : null,
  };
}
