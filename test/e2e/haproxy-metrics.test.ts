import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { freePort } from '../../dev/free-port.ts';
import { startHaproxy } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { agentsBackend } from '../../haproxy/generate/agents-backend.ts';
import { AGENTS_BACKEND } from '../../haproxy/generate/spoe.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { HAPROXY_METRICS } from '../support/haproxy-metrics.ts';
import { readMetrics, type Series } from '../support/prometheus-text.ts';
import { startScriptedAgent } from '../support/scripted-agent.ts';
import { settingsWith } from '../support/settings.ts';
import { until } from '../support/until.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const GUIDE = read('docs/guides/monitoring.md');
const ALERTS = read('docs/monitoring/alerts.yml');
const [STATUS, DOWNTIME] = HAPROXY_METRICS;

describeOnEveryHaproxy("what HAProxy's own metrics say of an agent", (build) => {
  it('that is gone: what the alert asks for', async (t) => {
    const agent = await scraped(t, build, await freePort());
    await until(
      async () => seriesValue(await agent(), STATUS, { state: 'DOWN' }) === 1,
      () => 'HAProxy does not find the agent down',
    );
    await until(
      async () => (seriesValue(await agent(), DOWNTIME) ?? 0) >= 1,
      () => 'HAProxy does not count how long',
    );
  });

  it('that answers: not what the alert asks for', async (t) => {
    const { port } = await startScriptedAgent(t, () => undefined);
    const agent = await scraped(t, build, port);
    await until(
      async () => seriesValue(await agent(), STATUS, { state: 'UP' }) === 1,
      () => 'HAProxy does not find the agent up',
    );
    assert.equal(seriesValue(await agent(), STATUS, { state: 'DOWN' }), 0);
    assert.equal(seriesValue(await agent(), DOWNTIME), 0);
  });

  it('have the names and labels that the alert has', () => {
    for (const name of HAPROXY_METRICS) assert.ok(ALERTS.includes(`${name}{proxy="${AGENTS_BACKEND}"`), name);
  });
});

/** Reads what HAProxy says of its only agent, from the frontend of the guide. */
async function scraped(t: TestContext, { binary, version }: HaproxyBuild, agentPort: number) {
  const port = await freePort();
  const settings = settingsWith({
    listen: [{ type: 'tcp', host: '127.0.0.1', port: agentPort }],
    haproxy: { version },
  });
  const [, frontend = ''] = /```haproxy\n(frontend metrics\n[^`]*)```/.exec(GUIDE) ?? [];
  assert.match(frontend, /bind \S+/);
  const haproxy = await startHaproxy({
    binary,
    config: `global
    log stdout format raw daemon

defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s

${frontend.replace(/bind \S+/, `bind 127.0.0.1:${port}`)}
${agentsBackend(settings)}`,
  });
  t.after(() => haproxy.stop());
  return async () => readMetrics(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).series;
}

function seriesValue(series: readonly Series[], name: string, more: Readonly<Record<string, string>> = {}) {
  const wanted = Object.entries({ proxy: AGENTS_BACKEND, server: 'agent1', ...more });
  return series.find((one) => one.name === name && wanted.every(([label, value]) => one.labels[label] === value))
    ?.value;
}
