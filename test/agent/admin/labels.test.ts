import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { METRICS } from '../../../agent/admin/metrics.ts';
import { metricsText } from '../../../agent/admin/prometheus-text.ts';
import { SOURCES } from '../../../agent/decision/decision.ts';
import { DegradationDetector } from '../../../agent/decision/degradation-detector.ts';
import { connectionEvents } from '../../../agent/server/server-log.ts';
import { DecisionStats } from '../../../agent/state/decision-stats.ts';
import { FAULTS } from '../../../agent/state/metric-definitions.ts';
import { ProcessMetrics } from '../../../agent/state/process-metrics.ts';
import { processState } from '../../../agent/state/process-state.ts';
import { LOAD_CAUSES } from '../../../agent/updates/load-cause.ts';
import { ACTIONS } from '../../../contract/actions.ts';
import { REASONS } from '../../../contract/policy.ts';
import { SpopStatus } from '../../../spop/errors.ts';
import { NO_MIRROR_READING } from '../../support/agent-state.ts';
import { HandClock } from '../../support/clock.ts';
import { type Metrics, readMetrics } from '../../support/prometheus-text.ts';
import { settingsWith } from '../../support/settings.ts';

const LISTS = ['manual', 'feed'];
const config = settingsWith({ lists: LISTS });
const MESSAGES = config.messages.map(({ name }) => name);

/** Every value that a label can have. A label that is not here is one that nobody has thought about. */
const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  haverdict_decisions_total: {
    message: MESSAGES,
    action: ACTIONS,
    source: SOURCES,
    reason: ['', ...REASONS],
    list: ['', ...LISTS],
  },
  haverdict_backend_failures_total: { reason: FAULTS },
  haverdict_backend_refused_total: { reason: REASONS },
  haverdict_unsupported_decisions_total: { action: ACTIONS },
  haverdict_spop_errors_total: { status: [...Object.values(SpopStatus).map(String), 'other'] },
  haverdict_breaker_state: { state: ['closed', 'probing', 'open'] },
  haverdict_mirror_loads_total: { cause: LOAD_CAUSES },
  haverdict_mirror_state: { state: ['off', 'live', 'loading', 'behind'] },
  haverdict_mirror_entries: { list: LISTS },
  haverdict_updates_state: { state: ['off', 'live', 'behind'] },
  haverdict_event_loop_lag_seconds: { stat: ['p50', 'p99', 'max'] },
  haverdict_config_reloads_total: { result: ['ok', 'failed'] },
  haverdict_build_info: { version: ['0.1.0'], node: [process.version] },
};

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...REASONS, ...LISTS, 'other', '\n', '"'));
/** What an agent decides: of the lists that it asks, with whatever texts their entries have. */
const anyDecision = fc.record({
  action: fc.constantFrom(...ACTIONS),
  source: fc.constantFrom('cache', 'backend', 'stale', 'script'),
  reason: anyText,
  list: fc.constantFrom(...LISTS),
  entry: anyText,
  vars: fc.dictionary(anyText, anyText, { maxKeys: 3 }),
});

describe('the labels of the metrics', () => {
  it('are all known, with the values that they can have', () => {
    const labelled = METRICS.filter(({ labels }) => labels.length > 0).map(({ name, labels }) => [name, labels]);
    assert.deepEqual(
      Object.fromEntries(labelled),
      Object.fromEntries(Object.entries(VALUES).map(([name, labels]) => [name, Object.keys(labels)])),
    );
  });

  it('have no other value, whatever entries, clients, backends and peers write', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyDecision, { maxLength: 20 }),
        fc.array(anyText, { maxLength: 10 }),
        fc.array(fc.integer(), { maxLength: 20 }),
        async (decisions, texts, statuses) => {
          const agent = new CountingAgent();
          const before = namesOf(await agent.scrape());
          for (const decision of decisions) {
            agent.stats.counterOf('check-request', decision).count++;
            agent.stats.record('check-request', decision, `ip:${decision.reason}`, decision.entry);
          }
          for (const text of texts) agent.metrics.callFailed('failing', text, 1);
          for (const status of statuses) agent.connections.disconnectReceived(status, `${status}`);
          const metrics = await agent.scrape();
          agent.metrics.close();
          for (const { name, labels } of metrics.series)
            for (const [label, value] of Object.entries(labels))
              if (label !== 'le') assert.ok(VALUES[name]?.[label]?.includes(value), `${name} ${label}=${value}`);
          const names = namesOf(metrics);
          assert.equal(new Set(names).size, names.length, 'no series is there twice');
          const stops = names.filter((name) => /"(deny|tarpit|drop)"/.test(name) && !/"script"/.test(name));
          assert.deepEqual(
            stops.filter((name) => !before.includes(name)),
            [],
            'what stops a request is there before it does',
          );
        },
      ),
    );
  });
});

/** What of an agent counts, without the rest. */
class CountingAgent {
  readonly metrics = new ProcessMetrics();
  readonly stats = new DecisionStats(new HandClock());
  readonly connections = connectionEvents(
    { info() {}, warn() {}, error() {} },
    new HandClock(),
    this.metrics,
    () => 40,
  );

  async scrape(): Promise<Metrics> {
    const { metrics, stats } = this;
    const loader = { breaker: 'closed', queued: 0, inFlight: 0, callsPerSecond: 100 } as const;
    const cache = { entries: 0, bytes: 0, evicted: 0 };
    const degradation = new DegradationDetector(new HandClock(), { degraded() {}, recovered() {} }).state;
    const parts = {
      settings: config,
      metrics,
      stats,
      cache,
      loader,
      degradation,
      updates: { isOff: true, ageMs: 0 },
      mirror: NO_MIRROR_READING,
      connections: 0,
      credentialsExpireAtMs: undefined,
    };
    const about = {
      version: '0.1.0',
      host: 'haproxy-1',
      workers: 1,
      workersReplaced: 0,
      reloads: { ok: 0, failed: 0 },
      listening: [],
    };
    const times = { startedAtMs: 0, takenAtMs: 0, logLinesDropped: 0 };
    return readMetrics(metricsText({ ...processState(parts), ...about, ...times }));
  }
}

function namesOf({ series }: Metrics): string[] {
  return series.map(({ name, labels }) => JSON.stringify([name, labels]));
}
