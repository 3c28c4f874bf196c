import { PROCESS, SECTIONS } from '../../agent/state/metric-definitions.ts';
import { zeros } from '../../agent/state/metric-types.ts';
import type { AgentState } from '../../agent/state/state.ts';
import { settingsWith } from './settings.ts';

/** What an agent tells that has done nothing yet, with these instead. */
export function agentState(changes: Partial<AgentState> = {}): AgentState {
  const config = settingsWith({});
  return {
    version: '0.1.0',
    host: 'haproxy-1',
    pid: 4711,
    workers: 1,
    workersReplaced: 0,
    startedAtMs: 1_790_000_000_000,
    takenAtMs: 1_790_000_010_000,
    decisions: [],
    recent: [],
    top: [],
    lastMinute: [],
    ...zeros(PROCESS),
    cache: { ...zeros(SECTIONS.cache), maxEntries: config.cache.maxEntries },
    backend: { ...zeros(SECTIONS.backend), urls: ['http://127.0.0.1:8787'], callsPerSecond: 500 },
    degradation: {
      isDegraded: false,
      lookups: 0,
      byPolicy: { timeout: 0, backend_error: 0, breaker_open: 0, overload: 0, internal_error: 0 },
      letThrough: 0,
      denied: 0,
      calls: 0,
      failedCalls: 0,
    },
    updates: zeros(SECTIONS.updates),
    mirror: zeros(SECTIONS.mirror),
    spop: zeros(SECTIONS.spop),
    reloads: { ok: 0, failed: 0 },
    listening: ['tcp://127.0.0.1:9000'],
    config,
    ...changes,
  };
}

/** Of an agent that keeps no mirror. */
export const NO_MIRROR_READING = { state: 'off', ageSeconds: null, entries: {}, bytes: 0 } as const;
