import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { METRICS } from '../../../agent/admin/metrics.ts';
import { metricsText } from '../../../agent/admin/prometheus-text.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { PROMTOOL } from '../../../dev/test-tools.ts';
import { readMetrics } from '../../support/prometheus-text.ts';
import { describeNewer } from '../../support/scope.ts';
import { settingsWith } from '../../support/settings.ts';
import { sampleState } from './sample-state.ts';

const DOCUMENT = join(import.meta.dirname, '../../../docs/reference/metrics.md');

const read = async (changes: Partial<AgentState> = {}) => readMetrics(metricsText(sampleState(changes)));

describeNewer('the metrics page', () => {
  it('passes promtool', async () => {
    const input = metricsText(sampleState());
    const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], { input, encoding: 'utf8' });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  });
});

describe('the metrics', () => {
  it('have the numbers of the state', async () => {
    const { value } = await read();
    const state = sampleState();
    assert.equal(value('haverdict_cache_hits_total'), state.cache.hits);
    assert.equal(value('haverdict_cache_bytes'), state.cache.bytes);
    assert.equal(value('haverdict_backend_failures_total', { reason: 'failing' }), 31);
    assert.equal(value('haverdict_backend_refused_total', { reason: 'breaker_open' }), 322);
    assert.equal(value('haverdict_spop_errors_total', { status: '3' }), 2);
    assert.equal(value('haverdict_event_loop_lag_seconds', { stat: 'max' }), 0.0042);
    assert.equal(value('haverdict_config_reloads_total', { result: 'ok' }), 3);
    assert.equal(value('haverdict_deadline_seconds'), 0.04);
    assert.equal(value('haverdict_build_info', { version: '0.1.0', node: process.version }), 1);
    assert.ok(value('process_resident_memory_bytes') > 10_000_000);
    const deny = { message: 'check-request', action: 'deny', source: 'cache', reason: '', list: 'manual' };
    assert.equal(value('haverdict_workers_replaced_total'), 2);
    assert.equal(value('haverdict_decisions_total', deny), 412_220);
  });

  it('count in histograms as Prometheus does: each class has all below it', async () => {
    const { value } = await read();
    assert.equal(value('haverdict_decision_seconds_bucket', { le: '0.00001' }), 0);
    assert.equal(value('haverdict_decision_seconds_bucket', { le: '0.000025' }), 98_000_000);
    assert.equal(value('haverdict_decision_seconds_bucket', { le: '0.005' }), 99_100_000);
    assert.equal(value('haverdict_decision_seconds_bucket', { le: '+Inf' }), 99_105_000);
    assert.equal(value('haverdict_decision_seconds_count'), 99_105_000);
  });

  it('say which state the breaker is in', async () => {
    const { backend } = sampleState();
    const { value } = await read({ backend: { ...backend, breaker: 'probing' } });
    const states = ['closed', 'probing', 'open'].map((state) => value('haverdict_breaker_state', { state }));
    assert.deepEqual(states, [0, 1, 0]);
  });

  it('say of a failed reload that it failed, and when the last one did not', async () => {
    const { value } = await read({ reloads: { ok: 1, failed: 2, lastOkAtMs: 5000, lastError: 'bad' } });
    assert.equal(value('haverdict_config_last_reload_successful'), 0);
    assert.equal(value('haverdict_config_last_reload_success_timestamp_seconds'), 5);
  });

  it('have what the policy could decide before it does', async () => {
    const { value } = await read({ decisions: [] });
    const never = { message: 'check-request', action: 'allow', source: 'policy', reason: 'breaker_open', list: '' };
    assert.equal(value('haverdict_decisions_total', never), 0);
  });

  it('have series for the denies of each list before the first, and for those it would cause in shadow mode', async () => {
    const config = settingsWith({ lists: ['manual', 'new'], shadowLists: ['new'], script: 'script.mjs' });
    const { value } = await read({ decisions: [], config });
    const never = { message: 'check-request', reason: '' };
    for (const source of ['cache', 'backend', 'stale']) {
      for (const action of ['deny', 'tarpit', 'drop'])
        assert.equal(value('haverdict_decisions_total', { ...never, action, source, list: 'manual' }), 0);
      assert.equal(value('haverdict_decisions_total', { ...never, action: 'log', source, list: 'new' }), 0);
      assert.equal(value('haverdict_decisions_total', { ...never, action: 'allow', source, list: '' }), 0);
    }
    assert.equal(value('haverdict_decisions_total', { ...never, action: 'deny', source: 'script', list: '' }), 0);
  });

  it('leave out when credentials end where there are none', async () => {
    const { credentialsExpireAtMs, ...backend } = sampleState().backend;
    const name = 'haverdict_credentials_expiry_timestamp_seconds';
    assert.equal((await read()).value(name), (credentialsExpireAtMs ?? 0) / 1000);
    assert.equal(
      (await read({ backend })).series.find((one) => one.name === name),
      undefined,
    );
  });

  it('are those of the docs, and no others', () => {
    const [, table = ''] = readFileSync(DOCUMENT, 'utf8').split('| Metric | Type | Labels | Meaning |\n');
    const rows = /^(\|.*\n)+/.exec(table)?.[0].trim().split('\n').slice(1) ?? [];
    const documented = rows.map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
    const actual = METRICS.map(({ name, type, labels, help }) => [name, type, labels.join(', '), help]);
    assert.deepEqual(documented, actual);
  });

  it('have the labels that they are said to have', async () => {
    const { series } = await read();
    for (const { name, labels } of METRICS) {
      const found = series.filter((one) => one.name.replace(/_(bucket|sum|count)$/, '') === name || one.name === name);
      assert.ok(found.length > 0, name);
      for (const one of found) {
        const given = Object.keys(one.labels).filter((label) => label !== 'le');
        assert.deepEqual(given.sort(), [...labels].sort(), name);
      }
    }
  });
});
