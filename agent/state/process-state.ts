import type { Settings } from '../../config/settings.ts';
import type { DegradationState } from '../decision/degradation.ts';
import type { Loader } from '../decision/loader.ts';
import type { Ledger } from './ledger.ts';
import type { Meters } from './meters.ts';
import type { CacheState, DecisionCount, ProcessState } from './state.ts';

interface Parts {
  readonly settings: Settings;
  readonly meters: Meters;
  readonly ledger: Ledger;
  readonly cache: Pick<CacheState, 'entries' | 'bytes' | 'evicted'>;
  readonly loader: Loader['state'];
  readonly degradation: DegradationState;
  /** Open now. */
  readonly connections: number;
  readonly credentialsExpireAtMs: number | undefined;
}

type Counted = Omit<ProcessState, 'startedAtMs' | 'takenAtMs' | 'listening' | 'logLinesDropped'>;

/** What the parts of one process have counted, put together. */
export function processState({
  settings,
  meters,
  ledger,
  cache,
  loader,
  degradation,
  connections,
  credentialsExpireAtMs,
}: Parts): Counted {
  const { decisions, recent, top } = ledger.state;
  const { misses, budgetWaits, throttled, refused } = meters.loader;
  // What is decided without subjects is not the cache's merit.
  const looking = new Set(settings.messages.filter(({ subjects }) => subjects.length > 0).map(({ name }) => name));
  const from = (wanted: DecisionCount['source']) =>
    decisions.reduce(
      (sum, { message, source, count }) => sum + (source === wanted && looking.has(message) ? count : 0),
      0,
    );
  return {
    pid: process.pid,
    decisions,
    recent,
    top,
    decisionTime: meters.decisionTime.state,
    deadlineMargin: meters.deadlineMargin.state,
    backendTime: meters.backendTime.state,
    eventLoopLag: meters.takeLag(),
    cache: { ...cache, maxEntries: settings.cache.maxEntries, hits: from('cache'), misses, stale: from('stale') },
    backend: {
      urls: settings.backend.targets.map(({ url }) => url),
      ...meters.backendCalls,
      ...loader,
      budgetWaits,
      throttled,
      refused: { ...refused },
      ...(credentialsExpireAtMs !== undefined && { credentialsExpireAtMs }),
    },
    degradation,
    spop: { connections, ...meters.spop, errors: meters.spopErrors },
    config: settings,
  };
}
