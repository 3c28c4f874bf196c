import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { askOnce, DENY, type Response, startRecentSite } from '../support/recent-site.ts';

const CLIENT = '192.0.2.7';
const SECONDS = 2;
const RUN_MS = 60_000;
const BLOCKED_AFTER_MS = 50_000;
const REQUESTS_A_SECOND = 1000;
const TURN_MS = 10;

describeOnEveryHaproxy('recentSeconds for a minute', (build) => {
  it(`asks about a client with ${REQUESTS_A_SECOND} requests a second as often as it must, and denies it in time`, {
    timeout: RUN_MS + 60_000,
  }, async (t) => {
    const site = await startRecentSite(t, build, { haproxy: { recentSeconds: SECONDS } });
    const connections = new Agent({ keepAlive: true, maxSockets: 64 });
    t.after(() => connections.destroy());
    const startMs = performance.now();
    const elapsedMs = () => performance.now() - startMs;
    const pending: Promise<Response>[] = [];
    let blockedAt = Infinity;
    let askedBefore = 0;
    while (elapsedMs() < RUN_MS) {
      if (blockedAt === Infinity && elapsedMs() > BLOCKED_AFTER_MS) {
        site.answers.set(CLIENT, DENY);
        askedBefore = site.asked.get(CLIENT) ?? 0;
        blockedAt = (await site.ask('192.0.2.8')).endedAt; // HAProxy's clock
      }
      const due = (elapsedMs() / 1000) * REQUESTS_A_SECOND;
      while (pending.length < due) pending.push(askOnce(site.port, connections, { 'x-client': CLIENT }));
      await pause(TURN_MS);
    }
    const responses = await Promise.all(pending);
    const late = responses.filter(({ status, beganAt }) => status === 200 && beganAt - blockedAt >= SECONDS);
    const statuses = Map.groupBy(responses, ({ status }) => status);
    t.diagnostic(`${responses.length} requests, asked ${askedBefore} times in ${BLOCKED_AFTER_MS / 1000} s`);
    assert.deepEqual([...statuses.keys()].sort(), [200, 403]);
    assert.deepEqual(late, []);
    const asked = responses.filter(({ source, status }) => source === 'cache' && status === 200);
    const storedAt = new Set(asked.map(({ endedAt }) => endedAt));
    const inVain = asked.filter(({ beganAt }) => storedAt.has(beganAt - 1));
    assert.deepEqual(inVain, [], 'asked though it was stored in the second before');
    assert.ok(askedBefore < responses.length / 20, `${askedBefore} of ${responses.length}`);
  });
});
