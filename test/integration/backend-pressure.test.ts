import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, agentBefore, ask, logged, said, traffic, well } from '../support/agent-before.ts';
import { describeNewer, hasNewer } from '../support/scope.ts';
import { ipv4 } from '../support/spop/naive-codec.ts';

/** Of an /8 whose first addresses are listed; all others are free. */
const LISTED = ipv4(10, 0, 0, 1);

describe('a backend that is not well, and not down', { concurrency: 2 }, () => {
  for (const every of hasNewer ? [10, 2] : [2])
    it(`is told of as one episode when every ${every}th call fails and the breaker stays closed`, async (t) => {
      let calls = 0;
      const failing: Answer = (subjects, response) =>
        calls++ % every === 0 ? void response.writeHead(500).end('{}') : well(subjects, response);
      const { agent, haproxy, get } = await agentBefore(t, failing, { deadlineMs: 5000 });
      traffic(t, haproxy, 50);
      const told = await logged(agent, /^degraded: /, 2);
      assert.ok('backend_error' in (told.reasons as object));
      assert.ok(Number(told.policyPercent) > 5 && Number(told.failedCalls) > 0);
      const messages = agent.lines.map((each) => JSON.parse(each)).filter(({ level }) => level >= 40);
      assert.ok(messages.length <= 4, JSON.stringify(messages));
      assert.ok(messages.every(({ level }) => level === 40));
      assert.match((await get('/readyz')).text, /^degraded: /);
      assert.match((await get('/metrics')).text, /^haverdict_breaker_state\{state="closed"\} 1$/m);
    });

  it('is told of as an error when it is gone and unknown clients are let through', async (t) => {
    const gone: Answer = (_subjects, response) => void response.destroy();
    const { agent, haproxy } = await agentBefore(t, gone, {});
    traffic(t, haproxy, 50);
    const line = await logged(agent, /^backend is failing: unknown clients are let through \(policy open\)$/);
    assert.equal(line.level, 50);
  });

  it('is called less often when it throttles, and nobody is decided by policy for that', async (t) => {
    let calls = 0;
    const throttling: Answer = (subjects, response) =>
      ++calls % 10 === 0 ? void response.writeHead(429).end('{}') : well(subjects, response);
    const { agent, haproxy, get } = await agentBefore(t, throttling, { deadlineMs: 5000 });
    traffic(t, haproxy, 100);
    await haproxy.received(1 + 500);
    const { text } = await get('/metrics');
    const metric = (name: string) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
    assert.ok(metric('haverdict_backend_throttled_total') > 0);
    assert.ok(metric('haverdict_backend_calls_per_second_limit') < 400);
    assert.equal(metric('haverdict_policy_share'), 0);
    for (const fault of ['unreachable', 'failing', 'refused'])
      assert.equal(metric(`haverdict_backend_failures_total\\{reason="${fault}"\\}`), 0);
    assert.equal((await get('/readyz')).text, 'ready\n');
    const messages = agent.lines.map((each) => JSON.parse(each)).filter(({ level }) => level >= 40);
    assert.deepEqual(
      messages.map(({ msg }) => msg),
      ['backend throttles: reducing the call rate'],
    );
  });
});

describeNewer('a backend that is just slower than the deadline', () => {
  it('is told of in the log, on the page, at /readyz and in the metrics', async (t) => {
    const slow: Answer = (subjects, response) => void setTimeout(() => well(subjects, response), 60);
    const { agent, haproxy, get } = await agentBefore(t, slow, { deadlineMs: 40 });
    const stop = traffic(t, haproxy, 50);
    const line = await logged(agent, /^degraded: unknown clients are let through \(policy open\)$/);
    assert.equal(line.level, 40);
    assert.equal(line.deadlineMs, 40);
    assert.ok(Number(line.p50Ms) >= 58 && Number(line.policyPercent) > 50, JSON.stringify(line));
    const { timeout = 0 } = line.reasons as Record<string, number>;
    assert.ok(timeout > 0 && Number(line.letThrough) >= timeout);
    const ready = await get('/readyz');
    assert.equal(ready.status, 200);
    assert.match(
      ready.text,
      /^degraded: listed clients may pass, .*: the backend answers later than deadlineMs; \d+\.\d % of the lookups of the last 10 s were decided by policy \(timeout/,
    );
    assert.match(ready.text, /half of the calls take \d+ ms, deadlineMs is 40$/m);
    assert.match((await get('/')).text, /\d+\.\d % of the lookups of the last 10 s were decided by policy/);
    const { text } = await get('/metrics');
    assert.match(text, /^haverdict_degraded 1$/m);
    assert.match(text, /^haverdict_policy_share (0\.\d+|1)$/m);
    assert.match(text, /^haverdict_breaker_state\{state="closed"\} 1$/m);
    assert.match(text, /^haverdict_backend_failures_total\{reason="failing"\} 0$/m);
    stop();
    await logged(agent, /^backend answers in time again$/);
    assert.equal((await get('/readyz')).text, 'ready\n');
    assert.match((await get('/metrics')).text, /^haverdict_degraded 0$/m);
  });
});

describe('the start of an agent', { concurrency: 2 }, () => {
  it('asks the backend once, for health and about a subject that is nobody’s, and says what it found', async (t) => {
    const asked: string[] = [];
    const { agent, haproxy, get } = await agentBefore(t, noted(asked, well), { deadlineMs: 9000 });
    const line = await logged(agent, /^backend check: answers in time$/);
    assert.deepEqual([line.level, line.deadlineMs], [30, 9000]);
    assert.ok(Number(line.firstMs) >= 0 && Number(line.checkMs) >= 0);
    assert.ok(Math.abs(Number(line.clockAheadSeconds)) < 30, 'both are this host');
    assert.deepEqual(asked, ['ip:192.0.2.1']);
    assert.match((await get('/metrics')).text, /^haverdict_cache_entries 0$/m);
    haproxy.socket.write(ask(1, ipv4(192, 0, 2, 1)));
    assert.deepEqual(said((await haproxy.received(2))[1]), { action: 'allow', source: 'backend' });
    assert.equal(asked.length, 2);
  });

  it('warns when the answer comes later than the deadline', async (t) => {
    const slow: Answer = (subjects, response) => void setTimeout(() => well(subjects, response), 60);
    const { agent } = await agentBefore(t, slow, { deadlineMs: 40 });
    const line = await logged(agent, /^backend check: slower than deadlineMs/);
    assert.ok(line.level === 40 && Number(line.checkMs) >= 58, JSON.stringify(line));
  });

  it('is neither ended nor held up by a backend that fails or hangs: HAProxy is answered meanwhile', async (t) => {
    const hanging: Answer = () => {};
    const { agent, haproxy, get } = await agentBefore(t, hanging, { deadlineMs: 20 });
    assert.equal((await get('/readyz')).status, 200);
    haproxy.socket.write(ask(1, LISTED));
    assert.equal(said((await haproxy.received(2))[1]).reason, 'timeout');
    const line = await logged(agent, /^backend check failed$/);
    assert.deepEqual([line.level, line.error], [40, 'backend: did not answer in time']);
    assert.equal(await agent.kill('SIGTERM'), 0);
  });

  it('says nothing more when it is told to stop before the backend answers', async (t) => {
    const { agent } = await agentBefore(t, () => {}, {});
    assert.equal(await agent.kill('SIGTERM'), 0);
    assert.ok(!agent.lines.some((line) => line.includes('backend check')));
  });

  it('asks once, however many workers there are', async (t) => {
    const asked: string[] = [];
    const { agent } = await agentBefore(t, noted(asked, well), { workers: 2, deadlineMs: 9000 });
    await logged(agent, /^backend check: /);
    assert.deepEqual(asked, ['ip:192.0.2.1']);
  });

  it('asks again at a reload that names another backend, and only then', async (t) => {
    const asked: string[] = [];
    const { agent, reload } = await agentBefore(t, noted(asked, well), { deadlineMs: 9000 });
    await logged(agent, /^backend check: /);
    await reload({ deadlineMs: 999 });
    await logged(agent, /^configuration reloaded$/);
    await reload({ deadlineMs: 999, degradedPercent: 6 });
    await logged(agent, /^backend check: /, 2);
    assert.equal(asked.length, 2);
  });
});

describe('a connection on which too many frames wait', () => {
  it('is answered from the cache where that knows, and by policy where it does not', async (t) => {
    let answer: Answer = well;
    const { haproxy } = await agentBefore(t, (...asked) => answer(...asked), { deadlineMs: 10_000 });
    haproxy.socket.write(ask(1, LISTED));
    assert.deepEqual(said((await haproxy.received(2))[1]), { action: 'deny', source: 'backend', list: 'manual' });
    answer = () => {}; // hangs from now on
    const strangers = Array.from({ length: 1000 }, (_, index) => ask(2 + index, ipv4(10, 1, index >> 8, index & 255)));
    haproxy.socket.write(Buffer.concat([...strangers, ask(2000, LISTED)]));
    const answered = (await haproxy.received(2 + 1000 - 256 + 1)).slice(2);
    assert.deepEqual(said(answered.pop()), { action: 'deny', source: 'cache', list: 'manual' });
    for (const frame of answered)
      assert.deepEqual(said(frame), { action: 'allow', source: 'policy', reason: 'overload' });
  });
});

function noted(asked: string[], answer: Answer): Answer {
  return (subjects, response) => {
    asked.push(...subjects);
    answer(subjects, response);
  };
}
