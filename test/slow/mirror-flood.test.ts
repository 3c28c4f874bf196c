import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startSite } from '../../dev/guarded-site.ts';
import { changeOf, MirrorBackend } from '../support/mirror-backend.ts';
import { ScriptedFunction } from '../support/scripted-function.ts';
import { until } from '../support/until.ts';
import { runWrk } from '../support/wrk.ts';

const STRANGERS = 1_000_000;
const SECONDS_A_RUN = 10;
/** A machine on which a million takes longer is too busy for a flood. */
const MOST_RUNS = 30;
/** Far above what a busy machine takes: who passes was not asked about. */
const DEADLINE_MS = 400;
const VISITORS = 250;

describe('a flood of a million random addresses, with a live mirror', () => {
  it('makes no call, and changes nothing for those who were there before', { timeout: 400_000 }, async (t) => {
    const lists = new MirrorBackend();
    lists.put(changeOf('ip:10.66.0.0/24'));
    lists.build('one');
    const backend = new ScriptedFunction(lists);
    await backend.open();
    const site = await startSite({
      backendUrl: backend.url,
      config: {
        ...{ deadlineMs: DEADLINE_MS, policy: 'open', updates: { mode: 'mirror', pollMs: 200 } },
        messages: { 'check-request': { subjects: { ip: 'req.hdr_ip(x-client)' } } },
      },
    });
    t.after(async () => {
      await site.stop();
      await backend.close();
    });
    await until(
      async () => site.agent.lines.some((line) => line.includes('mirror loaded')),
      () => site.agent.lines.join('\n'),
    );
    const callsBefore = backend.calls; // an agent that has not loaded its mirror yet asks
    let isOver = false;
    const visits: Record<string, number> = {};
    const visit = async () => {
      for (let turn = 0; !isOver; turn = (turn + 1) % VISITORS) {
        for (const group of [66, 67]) {
          const ip = `10.${group}.0.${turn}`;
          const { status, headers } = await site.visit('127.0.0.1', { headers: { 'x-client': ip } });
          const told = `${group === 66 ? 'listed' : 'known'} ${status} ${headers['x-haverdict-source']}`;
          visits[told] = (visits[told] ?? 0) + 1;
        }
        await pause(5);
      }
    };
    const visiting = visit();
    const sources: Record<string, number> = {};
    const statuses: Record<string, number> = {};
    const startedMs = performance.now();
    let strangers = 0;
    for (let run = 0; strangers < STRANGERS; run++) {
      assert.ok(run < MOST_RUNS, `${strangers} in ${MOST_RUNS * SECONDS_A_RUN} s`);
      const flood = await runWrk(site.port, 'strangers', SECONDS_A_RUN);
      for (const [source, count] of Object.entries(flood.sources)) sources[source] = (sources[source] ?? 0) + count;
      for (const [status, count] of Object.entries(flood.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
      strangers = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    }
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    isOver = true;
    await visiting;
    t.diagnostic(
      `${strangers} strangers in ${seconds} s, ${JSON.stringify(statuses)}; ${JSON.stringify(visits)}; ${callsBefore} calls before`,
    );
    assert.equal(backend.calls, callsBefore);
    assert.deepEqual(Object.keys(sources), ['mirror']);
    assert.deepEqual(Object.keys(statuses), ['200']);
    assert.deepEqual(Object.keys(visits).sort(), ['known 200 mirror', 'listed 403 mirror']);
  });
});
