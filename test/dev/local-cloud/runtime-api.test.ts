import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Invocation, RuntimeApi } from '../../../dev/local-cloud/runtime-api.ts';

const invocation = (requestId: string): Invocation => ({
  ...{ requestId, event: { for: requestId }, deadlineMs: 1_800_000_000_000, functionArn: 'arn:function' },
});

describe('the Lambda runtime API', () => {
  it('is ready when the runtime asks for its first event', async (t) => {
    const { api, next, answer } = await opened(t);
    const asked = next();
    await api.ready;
    const called = api.invoke(invocation('one'));
    const { headers } = await asked;
    assert.equal(headers.get('lambda-runtime-aws-request-id'), 'one');
    assert.equal(headers.get('lambda-runtime-deadline-ms'), '1800000000000');
    assert.equal(headers.get('lambda-runtime-invoked-function-arn'), 'arn:function');
    assert.equal(await answer('one', 'response', '{"a":1}'), 202);
    assert.deepEqual(await called, { a: 1 });
  });

  it('hands the event over, and no event twice', async (t) => {
    const { api, next, answer } = await opened(t);
    const first = api.invoke(invocation('one'));
    assert.deepEqual(await (await next()).json(), { for: 'one' });
    await answer('one', 'response', 'null');
    assert.equal(await first, null);
    const asked = next();
    assert.equal(await answer('one', 'response', 'null'), 404, 'it is over');
    void api.invoke(invocation('two')).catch(() => {});
    assert.deepEqual(await (await asked).json(), { for: 'two' });
  });

  it('fails the call with what the runtime tells of an error', async (t) => {
    const { api, next, answer } = await opened(t);
    const called = api.invoke(invocation('one'));
    await next();
    await Promise.all([
      assert.rejects(called, { name: 'RuntimeFailure', message: 'TypeError: no' }),
      answer('one', 'error', '{"errorType":"TypeError","errorMessage":"no"}'),
    ]);
  });

  it('is never ready when the initialization fails', async (t) => {
    const { api, post } = await opened(t);
    await post('init/error', '{"errorType":"Error","errorMessage":"not found"}');
    await assert.rejects(api.ready, { message: 'Error: not found' });
  });

  it('takes no answer to a call that there is not', async (t) => {
    const { answer, post } = await opened(t);
    assert.equal(await answer('one', 'response', '{}'), 404);
    assert.equal(await post('other', ''), 404);
  });
});

/** The API, and a runtime's side of it by hand. */
async function opened(t: TestContext) {
  const api = new RuntimeApi();
  const base = `http://${await api.open()}/2018-06-01/runtime`;
  t.after(() => {
    api.fail('the test is over');
    api.close();
  });
  const post = async (path: string, body: string) => (await fetch(`${base}/${path}`, { method: 'POST', body })).status;
  return {
    api,
    post,
    next: () => fetch(`${base}/invocation/next`),
    answer: (requestId: string, kind: string, body: string) => post(`invocation/${requestId}/${kind}`, body),
  };
}
