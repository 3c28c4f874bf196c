import { type Histogram, observe } from '../../../agent/state/histogram.ts';
import { newCounters } from '../../../agent/state/metric-definitions.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { agentState } from '../../support/agent-state.ts';
import { settingsWith } from '../../support/settings.ts';

const STARTED_AT_MS = Date.UTC(2026, 10, 20, 9, 30);

/** An agent that has been busy for two days, with these numbers instead. */
export function sampleState(changes: Partial<AgentState> = {}): AgentState {
  const idle = agentState();
  const { decisionTime, deadlineMargin, backendTime } = newCounters();
  return {
    ...idle,
    workersReplaced: 2,
    startedAtMs: STARTED_AT_MS,
    takenAtMs: STARTED_AT_MS + (2 * 86_400 + 5 * 3600) * 1000,
    decisions: [
      of('allow', 'cache', 98_412_233),
      of('allow', 'backend', 1_204_411),
      of('deny', 'cache', 412_220, 'manual'),
      of('deny', 'backend', 9_321, 'spamhaus-drop'),
      of('tarpit', 'cache', 1_204, 'manual'),
      of('allow', 'policy', 322, '', 'timeout'),
      of('allow', 'stale', 18),
    ],
    recent: Array.from({ length: 12 }, (_, index) => ({
      atMs: STARTED_AT_MS + (2 * 86_400 + 5 * 3600 - index * 7) * 1000,
      ref: `7kq2m9x4c${(index + 10).toString(36)}`,
      message: 'check-request',
      action: index % 5 === 4 ? 'tarpit' : 'deny',
      source: index % 4 === 3 ? 'backend' : 'cache',
      reason: index % 3 === 0 ? 'abuse' : 'SBL',
      list: index % 3 === 0 ? 'manual' : 'spamhaus-drop',
      status: 403,
      subject: index % 3 === 2 ? 'ip:2001:db8:7::/48' : `ip:203.0.113.${index + 7}`,
      client: index % 3 === 2 ? `ip:2001:db8:7:${index}::/64` : `ip:203.0.113.${index + 7}`,
    })),
    top: Array.from({ length: 10 }, (_, index) => ({
      subject: index === 2 ? 'ip:2001:db8:7::/48' : `ip:203.0.113.${index + 7}`,
      list: index % 3 === 0 ? 'manual' : 'spamhaus-drop',
      client: index === 2 ? 'ip:2001:db8:7:5::/64' : `ip:203.0.113.${index + 7}`,
      count: Math.round(91_000 / (index + 1)),
    })),
    decisionTime: filled(decisionTime, [0.00002, 98_000_000], [0.004, 1_100_000], [0.03, 5_000]),
    deadlineMargin: filled(deadlineMargin, [0.035, 1_100_000], [0.012, 5_000]),
    backendTime: filled(backendTime, [0.005, 900_000], [0.03, 40_000], [0.2, 12]),
    eventLoopLag: { p50: 0.0001, p99: 0.0011, max: 0.0042 },
    cache: {
      ...idle.cache,
      entries: 412_003,
      bytes: 38_112_000,
      maxEntries: 1_000_000,
      hits: 98_825_657,
      misses: 1_213_732,
      stale: 18,
    },
    backend: {
      ...idle.backend,
      urls: ['https://abcdefghij.lambda-url.eu-central-1.on.aws'],
      calls: 940_012,
      subjects: 1_213_732,
      failures: { unreachable: 12, failing: 31, refused: 0, ours: 0 },
      inFlight: 2,
      budgetWaits: 4,
      notCounted: 5,
      throttled: 7,
      callsPerSecond: 212.4,
      refused: { timeout: 0, breaker_open: 322, overload: 0 },
      credentialsExpireAtMs: STARTED_AT_MS + 180_000_000,
      lastErrorAtMs: STARTED_AT_MS + 3_600_000,
      lastError: 'backend: answered status 503',
    },
    updates: { ...idle.updates, state: 'live', ageSeconds: 0.8, changes: 17, starts: 1 },
    mirror: {
      ...idle.mirror,
      state: 'live',
      ageSeconds: 0.8,
      entries: { manual: 12, 'spamhaus-drop': 1_204 },
      bytes: 90_000,
    },
    spop: { ...idle.spop, connections: 8, accepted: 40, frames: 100_029_729, errors: { 3: 2 }, healthChecks: 95_400 },
    reloads: { ok: 3, failed: 0, lastOkAtMs: STARTED_AT_MS + 86_400_000 },
    config: settingsWith({ lists: ['manual', 'spamhaus-drop'] }),
    ...changes,
  };
}

function of(
  action: 'allow' | 'deny' | 'tarpit',
  source: 'cache' | 'backend' | 'policy' | 'stale',
  count: number,
  list = '',
  reason = '',
) {
  return { message: 'check-request', action, source, reason, list, count };
}

function filled(histogram: Histogram, ...values: readonly (readonly [number, number])[]): Histogram {
  for (const [seconds, times] of values) observe(histogram, seconds, times);
  return histogram;
}
