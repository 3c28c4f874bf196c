import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EnvironmentPool, type PoolOptions, TooManyCalls } from '../../../dev/local-cloud/environment-pool.ts';

/** Does what the event says: what a handler can do to its environment. */
const MODULE = `
  let calls = 0;
  console.log('loaded');
  export const handler = async (event, context) => {
    calls++;
    if (event.crash) process.exit(3);
    if (event.fail) throw new TypeError(event.fail);
    if (event.hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
    if (event.say) console.error(event.say);
    return {
      ...{ calls, pid: process.pid, remainingMs: context.getRemainingTimeInMillis() },
      ...{ requestId: context.awsRequestId, arn: context.invokedFunctionArn, variables: process.env },
    };
  };
  export const nothing = 1;
  export const withCallback = (event, context, callback) => callback(null, 1);
`;

interface Answer {
  readonly calls: number;
  readonly pid: number;
  readonly remainingMs: number;
  readonly requestId: string;
  readonly arn: string;
  readonly variables: Readonly<Record<string, string>>;
}

describe('the execution environments of a function', () => {
  it('start with the first call and are used again', async (t) => {
    const { pool, call } = started(t);
    assert.deepEqual(pool.initsMs, []);
    const [first, second] = [await call(), await call()];
    assert.deepEqual([first.calls, second.calls, second.pid], [1, 2, first.pid]);
    assert.notEqual(first.requestId, second.requestId);
    assert.equal(pool.initsMs.length, 1);
  });

  it('have the variables of the function and of Lambda, and no others', async (t) => {
    const { call } = started(t, { variables: () => ({ HAVERDICT_TABLE: 'x' }) });
    const { variables, arn } = await call();
    const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, HOME, ...others } = variables;
    assert.equal(HOME, LAMBDA_TASK_ROOT, 'not that of the user here');
    assert.deepEqual(others, { HAVERDICT_TABLE: 'x', _HANDLER: 'index.handler', TZ: ':UTC' });
    assert.equal(arn, 'arn:function');
  });

  it('take one call at a time each', async (t) => {
    const { call } = started(t);
    const answers = await Promise.all([call(), call(), call()]);
    const perProcess = Map.groupBy(answers, ({ pid }) => pid);
    assert.equal(answers.length, 3);
    for (const [, ofOne] of perProcess)
      assert.deepEqual(
        ofOne.map(({ calls }) => calls),
        ofOne.map((_, index) => index + 1),
      );
  });

  it('are no more than this machine can bear, and calls beyond wait', async (t) => {
    const { pool, call } = started(t);
    const most = 2 * availableParallelism();
    const answers = await Promise.all(Array.from({ length: most + 5 }, () => call()));
    assert.equal(answers.length, most + 5);
    assert.ok(pool.initsMs.length <= most, `${pool.initsMs.length} environments`);
  });

  it('refuse a call above the concurrency of the function, and take one when there is room again', async (t) => {
    const { call } = started(t, { concurrency: { limit: 2, underWay: 0 } });
    const running = [call(), call()];
    await assert.rejects(call(), TooManyCalls);
    await Promise.all(running);
    assert.equal(typeof (await call()).pid, 'number');
  });

  it('share the concurrency of the function with its other versions', async (t) => {
    const concurrency = { limit: 1, underWay: 0 };
    const [one, other] = [started(t, { concurrency }), started(t, { concurrency })];
    const running = one.call();
    await assert.rejects(other.call(), TooManyCalls);
    await running;
    await other.call();
  });

  it('are there from the start when they are provisioned', async (t) => {
    const { pool } = started(t, { provisioned: 2 });
    await pool.prepare();
    assert.equal(pool.initsMs.length, 2);
  });

  it('are gone after a call that took too long, and the next call has a new one', async (t) => {
    const { call, lines } = started(t, { timeoutMs: 2000 });
    const first = await call();
    assert.ok(first.remainingMs > 0 && first.remainingMs <= 2000);
    await assert.rejects(call({ hang: true }), { message: 'Task timed out after 2.00 seconds' });
    assert.notEqual((await call()).pid, first.pid);
    assert.ok(lines.some((line) => line.includes('Task timed out')));
  });

  it('are gone after a crash, and the next call has a new one', async (t) => {
    const { call } = started(t);
    await assert.rejects(call({ crash: true }), { message: 'Runtime.ExitError: the process ended with 3' });
    assert.equal((await call()).calls, 1);
  });

  it('survive what the handler throws', async (t) => {
    const { call } = started(t);
    const first = await call();
    await assert.rejects(call({ fail: 'no' }), { name: 'RuntimeFailure', message: 'TypeError: no' });
    assert.deepEqual([(await call()).pid, first.calls], [first.pid, 1]);
  });

  it('hand on every line that the function writes', async (t) => {
    const { call, lines } = started(t);
    await call({ say: 'something' });
    while (lines.length < 2) await new Promise(setImmediate);
    assert.deepEqual(lines.toSorted(), ['loaded', 'something']);
  });

  const UNLOADABLE: readonly [handler: string, says: RegExp][] = [
    ['other.handler', /Cannot find module 'other'/],
    ['index.absent', /index\.absent is undefined or not exported/],
    ['index.nothing', /index\.nothing is undefined or not exported/],
    ['index.withCallback', /Callback-based function handlers are not supported/],
  ];
  for (const [handler, says] of UNLOADABLE) {
    it(`fail every call of a function that cannot be loaded: ${handler}`, async (t) => {
      const { call } = started(t, {}, handler);
      await assert.rejects(call(), says);
      const results = await Promise.allSettled([call(), call(), call(), call(), call(), call()]);
      assert.ok(results.every(({ status }) => status === 'rejected'));
    });
  }

  it('are there before the first call when they are prepared', async (t) => {
    const { pool, call } = started(t);
    await pool.prepare(2);
    assert.equal(pool.initsMs.length, 2);
    await Promise.all([call(), call()]);
    assert.equal(pool.initsMs.length, 2);
  });
});

function started(t: TestContext, options: Partial<PoolOptions> = {}, handler = 'index.handler') {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-function-'));
  writeFileSync(join(folder, 'index.mjs'), MODULE);
  const lines: string[] = [];
  const pool = new EnvironmentPool({
    code: { folder, handler },
    functionArn: 'arn:function',
    timeoutMs: 10_000,
    concurrency: { limit: 1000, underWay: 0 },
    variables: () => ({}),
    log: (line) => lines.push(line),
    ...options,
  });
  t.after(async () => {
    await pool.close();
    rmSync(folder, { recursive: true });
  });
  return { pool, lines, call: async (event: object = {}) => (await pool.invoke(event)) as Answer };
}
