import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackendError, type Fault } from '../../../agent/backend/backend-error.ts';
import { FailoverBackend } from '../../../agent/backend/failover.ts';
import { HandClock } from '../../support/clock.ts';

/** A backend that does what the test says, and answers with its name. */
class Double {
  readonly name: string;
  readonly asked: string[];
  fault: Fault | undefined;
  probes = 0;
  isAnsweringProbes = false;
  /** Resolves the calls that wait, if they are made to. */
  gate: Promise<void> = Promise.resolve();

  constructor(name: string, asked: string[]) {
    this.name = name;
    this.asked = asked;
  }

  async check(): Promise<{ lookups: { error: string }[]; ttlSeconds: number }> {
    this.asked.push(this.name);
    const { fault, name } = this;
    await this.gate;
    if (fault !== undefined) throw new BackendError(fault, `${name} is ${fault}`);
    return { lookups: [{ error: name }], ttlSeconds: 1 };
  }

  async isWell(): Promise<boolean> {
    this.probes++;
    return this.isAnsweringProbes;
  }

  async close(): Promise<void> {}
}

describe('several backends', () => {
  it('are asked in their order: the first, as long as it answers', async () => {
    const { call, asked, told, clock } = world();
    for (let n = 0; n < 5; n++) assert.equal(await call(), 'a');
    assert.deepEqual({ asked: [...new Set(asked)], told, timers: clock.timers }, { asked: ['a'], told: [], timers: 0 });
  });

  it('take over a call that fails, and all calls after three failures in a row', async () => {
    const { call, a, asked, told } = world();
    a.fault = 'failing';
    for (let n = 0; n < 5; n++) assert.equal(await call(), 'b');
    assert.equal(asked.join(''), 'ababab' + 'bb');
    assert.deepEqual(told, ['a is down: backend: a is failing']);
  });

  it('take over at once from one to which there is no connection', async () => {
    const { call, a, asked, told } = world();
    a.fault = 'unreachable';
    assert.equal(await call(), 'b');
    assert.equal(await call(), 'b');
    assert.equal(asked.join(''), 'abb');
    assert.equal(told.length, 1);
  });

  it('forget failures that are not in a row', async () => {
    const { call, a, told } = world();
    for (const fault of ['failing', 'failing', undefined, 'failing', 'failing'] as const) {
      a.fault = fault;
      await call();
    }
    assert.deepEqual(told, []);
  });

  it('do not repeat what was refused, but are asked when the first refuses three calls in a row', async () => {
    const { call, a, asked, told } = world();
    a.fault = 'refused';
    for (let n = 0; n < 3; n++) await assert.rejects(call(), /a is refused/);
    assert.equal(await call(), 'b');
    assert.equal(asked.join(''), 'aaab');
    assert.equal(told.length, 1);
  });

  it('are not blamed for what is the trouble of this host', async () => {
    const { call, a, asked, told } = world();
    a.fault = 'ours';
    for (let n = 0; n < 5; n++) await assert.rejects(call(), /a is ours/);
    assert.equal(asked.join(''), 'aaaaa');
    assert.deepEqual(told, []);
  });

  it('take over the calls that one throttles, which is not down for that', async () => {
    const { call, a, asked, told } = world();
    a.fault = 'throttled';
    for (let n = 0; n < 5; n++) assert.equal(await call(), 'b');
    a.fault = undefined;
    assert.equal(await call(), 'a');
    assert.equal(asked.join(''), 'abababababa');
    assert.deepEqual(told, []);
  });

  it('are too much asked when one throttles and the next does not answer, whatever that one does', async () => {
    for (const fault of ['throttled', 'unreachable', 'failing', 'refused'] as const) {
      const { call, a, b } = world();
      a.fault = 'throttled';
      b.fault = fault;
      await assert.rejects(call(), { fault: 'throttled', reason: 'overload' });
    }
    const { call, a, b } = world();
    a.fault = 'failing';
    b.fault = 'throttled';
    await assert.rejects(call(), { fault: 'throttled' });
  });

  it('are tried twice a call and no more', async () => {
    const { call, a, b, c, asked } = world();
    for (const each of [a, b, c]) each.fault = 'failing';
    await assert.rejects(call(), /b is failing/);
    assert.equal(asked.join(''), 'ab');
  });

  it('get the first asked again when all are down', async () => {
    const { call, a, b, c, asked, told } = world();
    for (const each of [a, b, c]) each.fault = 'unreachable';
    await assert.rejects(call(), /b is unreachable/);
    await assert.rejects(call(), /c is unreachable/);
    asked.length = 0;
    await assert.rejects(call(), /b is unreachable/);
    a.fault = undefined;
    assert.equal(await call(), 'a');
    assert.equal(asked.join(''), 'aba');
    assert.deepEqual(told.at(-1), 'a is up after 0');
  });

  it('go back to the first when it answers a probe; one probe at a time, ever more rarely', async () => {
    const { call, a, clock, told, settle } = world();
    a.fault = 'unreachable';
    await call();
    const pauses: number[] = [];
    for (let n = 0; n < 8; n++) {
      let waitedMs = 0;
      for (const before = a.probes; a.probes === before; waitedMs += 250) clock.advance(250);
      pauses.push(waitedMs);
      assert.equal(clock.timers, 0); // the next one waits for this one
      await settle();
      assert.equal(clock.timers, 1);
    }
    assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    a.isAnsweringProbes = true;
    a.fault = undefined;
    clock.advance(30_000);
    await settle();
    assert.equal(await call(), 'a');
    assert.equal(clock.timers, 0);
    assert.deepEqual(told.at(-1), 'a is up after 151000');
  });

  it('are probed after half the pause at the earliest', async () => {
    const { call, a, clock } = world(() => 0);
    a.fault = 'unreachable';
    await call();
    clock.advance(499);
    assert.equal(a.probes, 0);
    clock.advance(1);
    assert.equal(a.probes, 1);
  });

  it('keep their pause when one answers probes but not calls', async () => {
    const { call, a, clock, settle } = world();
    a.fault = 'unreachable';
    a.isAnsweringProbes = true;
    for (const pauseMs of [1000, 2000, 4000]) {
      await call();
      const before = a.probes;
      clock.advance(pauseMs - 1);
      assert.equal(a.probes, before);
      clock.advance(1);
      await settle();
    }
    clock.advance(60_000); // well for a minute
    await call();
    clock.advance(1000);
    assert.equal(a.probes, 4);
  });

  it('do not take a call from before for a failure of now', async () => {
    const { call, a, clock, told, settle } = world();
    const { promise, resolve } = Promise.withResolvers<void>();
    a.gate = promise;
    a.fault = 'failing';
    const late = [call(), call(), call()];
    clock.advance(1);
    a.gate = Promise.resolve();
    a.fault = 'unreachable';
    await call();
    a.isAnsweringProbes = true;
    a.fault = undefined;
    clock.advance(1000);
    await settle();
    resolve();
    await Promise.all(late);
    assert.deepEqual(told, ['a is down: backend: a is unreachable', 'a is up after 1000']);
    assert.equal(await call(), 'a');
  });

  it('share the time of the call', async (t) => {
    t.mock.method(AbortSignal, 'timeout', (ms: number) => {
      assert.equal(ms, 200);
      return AbortSignal.abort();
    });
    const { call, a, asked } = world();
    a.fault = 'failing';
    await assert.rejects(call(), /a is failing/);
    assert.equal(asked.join(''), 'a');
  });

  it('leave no timer behind, and begin no probe, when they are closed', async () => {
    const { backend, call, a, b, clock } = world();
    a.fault = 'unreachable';
    await call();
    assert.equal(clock.timers, 1);
    await backend.close();
    assert.equal(clock.timers, 0);
    b.fault = 'unreachable';
    await assert.rejects(call(), /b is unreachable/);
    assert.equal(clock.timers, 0);
  });
});

function world(random = () => 1) {
  const asked: string[] = [];
  const told: string[] = [];
  const calls: string[] = [];
  const clock = new HandClock();
  const [a, b, c] = [new Double('a', asked), new Double('b', asked), new Double('c', asked)];
  const events = {
    down: (url: string, error: BackendError) => void told.push(`${url} is down: ${error.message}`),
    up: (url: string, downMs: number) => void told.push(`${url} is up after ${downMs}`),
  };
  const clients = [a, b, c].map((client) => ({ url: client.name, client }));
  const backend = new FailoverBackend(clients, 200, events, clock, random);
  return {
    backend,
    a,
    b,
    c,
    asked,
    told,
    calls,
    clock,
    async call() {
      const { lookups } = await backend.check(['ip:198.51.100.1']);
      const [lookup] = lookups;
      return lookup !== undefined && 'error' in lookup ? lookup.error : undefined;
    },
    /** Everything that has been resolved has been taken notice of. */
    settle: () => new Promise(setImmediate),
  };
}
