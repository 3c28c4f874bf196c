import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRICS } from '../agent/admin/metrics.ts';
import { LIST_METRICS } from '../cli/bulk/metrics-file.ts';
import { loadSettings } from '../config/load.ts';
import { PROMTOOL } from '../dev/test-tools.ts';
import { temporaryFolder } from './support/config-file.ts';
import { HAPROXY_METRICS } from './support/haproxy-metrics.ts';
import { describeNewer } from './support/scope.ts';

/** Absolute, as it is followed from a pager. */
const RUNBOOK = 'https://github.com/haverdict/haverdict/blob/main/docs/runbook.md';
const root = join(import.meta.dirname, '..');
const text = (file: string) => readFileSync(join(root, file), 'utf8');

const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.object({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.object({ summary: z.string(), runbook_url: z.string() }),
        }),
      ),
    }),
  ),
});
const RuleTests = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
});
const Dashboard = z.object({
  uid: z.string(),
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string() })).min(1),
    }),
  ),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
});

const rules = Rules.parse(parse(text('docs/monitoring/alerts.yml'))).groups.flatMap(({ rules }) => rules);
const dashboard = Dashboard.parse(JSON.parse(text('docs/monitoring/grafana.json')));
const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
  ...dashboard.annotations.list.map(({ expr }) => ({ where: 'annotations', expr })),
];

describe('the alerts', () => {
  it('ask for metrics and labels that there are', () => {
    // `up` is Prometheus's own.
    for (const { alert, expr } of rules.filter(({ expr }) => !expr.startsWith('up{'))) assertKnown(alert, expr);
  });

  it('page for what no single client can cause: its own mistakes only warn', () => {
    const paging = rules.filter(({ labels }) => labels.severity === 'critical');
    for (const { alert, expr } of paging)
      for (const [, matchers = ''] of expr.matchAll(/haverdict_decisions_total\{([^}]*source="policy"[^}]*)\}/g))
        assert.ok(matchers.includes('reason!~"no_subject|bad_subject"'), alert);
  });

  it('have a section each in the runbook, which has no other but for the alarms of AWS', () => {
    const headings = [...text('docs/runbook.md').matchAll(/^## (?!AWS )(.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(
      headings,
      rules.map(({ alert }) => alert),
    );
    for (const { alert, annotations } of rules)
      assert.equal(annotations.runbook_url, `${RUNBOOK}#${alert.toLowerCase()}`);
  });

  it('say in each section what it means, what users see, what to look at and what to do', () => {
    for (const section of text('docs/runbook.md').split(/^## /m).slice(1))
      assert.deepEqual(section.match(/^\*\*[A-Z][a-z ]+\*\*/gm), [
        '**Means**',
        '**Users see**',
        '**Look at**',
        '**Do**',
      ]);
  });

  it('are each tested to be raised and not to be', () => {
    const cases = RuleTests.parse(parse(text('docs/monitoring/alerts.test.yml'))).tests.flatMap(
      ({ alert_rule_test }) => alert_rule_test,
    );
    for (const { alert } of rules) {
      const own = cases.filter(({ alertname }) => alertname === alert);
      assert.ok(
        own.some(({ exp_alerts }) => exp_alerts.length > 0) && own.some(({ exp_alerts }) => exp_alerts.length === 0),
        alert,
      );
    }
  });
});

describeNewer('what promtool says', () => {
  it('of the alerts: valid, each raised and not raised as told', () => {
    promtool('check', 'rules', 'docs/monitoring/alerts.yml');
    promtool('test', 'rules', 'docs/monitoring/alerts.test.yml');
  });

  it('of the queries of the dashboard: Prometheus can read them', (t) => {
    const written = queries.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m'));
    const file = JSON.stringify({
      groups: [{ name: 'g', rules: written.map((expr, index) => ({ record: `r${index}`, expr })) }],
    });
    const path = join(temporaryFolder(t), 'queries.yml');
    writeFileSync(path, file);
    promtool('check', 'rules', path);
  });
});

describe('the guide to monitoring', () => {
  it('says where the status page is: nowhere by default, and in the packages where their configuration says', () => {
    const guide = text('docs/guides/monitoring.md');
    const { admin } = parse(text('packaging/debian/haverdict.yaml'));
    assert.equal(loadSettings(undefined, { HAVERDICT_BACKEND_URL: 'http://127.0.0.1/' }).admin.listen, undefined);
    assert.match(guide, /The setting has no default/);
    assert.ok(guide.includes(`sets it to the socket \`${admin.listen.replace('unix:', '')}\``));
  });
});

describe('the dashboard', () => {
  it('asks for metrics and labels that there are', () => {
    for (const { where, expr } of queries) assertKnown(where, expr);
  });

  it('shows every metric that changes', () => {
    const shown = new Set(queries.flatMap(({ expr }) => metricsIn(expr)));
    const missing = METRICS.map(({ name }) => name).filter((name) => !shown.has(name));
    assert.deepEqual(missing, NOT_SHOWN);
  });

  it('has panels that do not overlap and do not leave the page', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length);
    assert.ok(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24));
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  });
});

/** What a person looks up on one agent, and what the alerts alone need. */
const NOT_SHOWN = [
  'haverdict_backend_entries_not_counted_total',
  'haverdict_build_info',
  'haverdict_config_last_reload_success_timestamp_seconds',
  'haverdict_config_reloads_total',
  'haverdict_credentials_expiry_timestamp_seconds',
  'haverdict_spop_accepted_total',
  'haverdict_spop_frames_total',
  'haverdict_spop_health_checks_total',
  'haverdict_unsupported_decisions_total',
  'haverdict_workers',
  'haverdict_workers_replaced_total',
  'process_start_time_seconds',
];

/** Beside the agent's own, those that a sync leaves for node_exporter, and those of HAProxy that test/e2e tries. */
const KNOWN = [
  ...METRICS,
  ...LIST_METRICS.map(({ name }) => ({ name, type: 'gauge', labels: ['list'] })),
  ...HAPROXY_METRICS.map((name) => ({ name, type: 'gauge', labels: ['proxy', 'server', 'state'] })),
];

function assertKnown(where: string, expr: string): void {
  const names = metricsIn(expr);
  assert.ok(names.length > 0, `${where} asks for nothing`);
  for (const name of names)
    assert.ok(
      KNOWN.some((metric) => metric.name === name),
      `${where}: ${name}`,
    );
  for (const [, series = '', matchers = ''] of expr.matchAll(/([a-z_]+)\{([^}]*)\}/g)) {
    const metric = KNOWN.find(({ name }) => name === nameOf(series));
    const labels = [...matchers.matchAll(/([a-z_]+)(?:=|!=|=~|!~)"/g)].map(([, label = '']) => label);
    const unknown = labels.filter((label) => ![...SCRAPED, ...(metric?.labels ?? [])].includes(label));
    assert.deepEqual(
      unknown.filter((label) => label !== 'le' || metric?.type !== 'histogram'),
      [],
      `${where}: ${series}`,
    );
  }
}

/** Prometheus adds these. */
const SCRAPED = ['instance', 'job'];

function metricsIn(expr: string): string[] {
  return [...expr.replaceAll(/"[^"]*"/g, '').matchAll(/\b(?:haverdict|haproxy|process)_[a-z_]+/g)].map(([series]) =>
    nameOf(series),
  );
}

/** A histogram is three series. */
function nameOf(series: string): string {
  const base = series.replace(/_(bucket|sum|count)$/, '');
  return METRICS.some(({ name, type }) => type === 'histogram' && name === base) ? base : series;
}

function promtool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}
