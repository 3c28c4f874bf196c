import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentState } from '../../agent/state/state.ts';
import { type Answer, agentBefore, said, traffic, well } from '../support/agent-before.ts';
import { Random } from '../support/spop/random.ts';

const SECONDS = 180;
const ANSWERED_IN_MS = 5;
/** Far above what a busy machine makes of 5 ms: what is told here is of the backend, not of the machine. */
const DEADLINE_MS = 400;

describe('a backend that refuses every tenth call as one too many, by chance', () => {
  it(`is told of in a few lines in ${SECONDS} s at 100 requests a second, and no breaker opens`, {
    timeout: (SECONDS + 120) * 1000,
  }, async (t) => {
    const random = new Random(42);
    let [calls, refused] = [0, 0];
    const throttling: Answer = (subjects, response) => {
      calls++;
      const isRefused = random.oneIn(10);
      if (isRefused) refused++;
      setTimeout(() => (isRefused ? response.writeHead(429).end() : well(subjects, response)), ANSWERED_IN_MS);
    };
    const { agent, haproxy, get } = await agentBefore(t, throttling, { deadlineMs: DEADLINE_MS });
    const stop = traffic(t, haproxy, 100);
    const limits: number[] = [];
    for (let second = 0; second < SECONDS; second++) {
      await pause(1000);
      const { backend } = JSON.parse((await get('/state.json')).text) as AgentState;
      assert.equal(backend.breaker, 'closed');
      limits.push(backend.callsPerSecond);
    }
    stop();
    const outcomes = Map.groupBy(haproxy.frames.slice(1).map(said), ({ source, reason = '' }) => `${source} ${reason}`);
    const counts = Object.fromEntries([...outcomes].map(([outcome, all]) => [outcome.trim(), all.length]));
    limits.sort((a, b) => a - b);
    const [least, usual, most] = [limits[0], limits[limits.length >> 1], limits.at(-1)];
    t.diagnostic(JSON.stringify({ calls, refused, counts, lines: agent.lines.length, limit: { least, usual, most } }));
    assert.ok(refused > calls * 0.05);
    assert.ok(agent.lines.length <= 7, agent.lines.join('\n'));
    assert.ok(Number(usual) > 70 && Number(usual) < 250, `${usual} calls a second are allowed`);
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    assert.ok((counts.backend ?? 0) > total * 0.98, JSON.stringify(counts));
  });
});
