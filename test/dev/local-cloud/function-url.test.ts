import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { LambdaFunctionURLEvent } from 'aws-lambda';
import { TooManyCalls } from '../../../dev/local-cloud/environment-pool.ts';
import { FunctionUrl, type FunctionUrlOptions } from '../../../dev/local-cloud/function-url.ts';
import { AccessDenied } from '../../../dev/local-cloud/principals.ts';
import { SignatureError } from '../../../dev/local-cloud/sigv4-verifier.ts';

describe('the local function URL', () => {
  it('calls the handler with an event of payload format 2.0', async (t) => {
    const events: LambdaFunctionURLEvent[] = [];
    const { url } = await started(t, async (event) => {
      events.push(event);
      return { statusCode: 201, headers: { 'x-a': 'b' }, body: 'ä' };
    });
    const answer = await fetch(`${url}v1/check?a=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"ä":1}',
    });
    assert.deepEqual([answer.status, answer.headers.get('x-a'), await answer.text()], [201, 'b', 'ä']);
    assert.equal(answer.headers.get('content-length'), '2');
    const [event] = events;
    assert.deepEqual([event?.version, event?.rawPath, event?.rawQueryString], ['2.0', '/v1/check', 'a=1']);
    assert.deepEqual([event?.requestContext.http.method, event?.requestContext.http.sourceIp], ['POST', '127.0.0.1']);
    assert.deepEqual([event?.body, event?.isBase64Encoded], ['{"ä":1}', false]);
  });

  it('hands over in base64 what is no text', async (t) => {
    const { url } = await started(t, async (event) => ({
      statusCode: 200,
      body: `${event.isBase64Encoded} ${event.body}`,
    }));
    const answer = await fetch(url, { method: 'POST', body: Uint8Array.of(0, 255) });
    assert.equal(await answer.text(), 'true AP8=');
  });

  it('answers 502 with nothing of the error when the handler throws', async (t) => {
    const { url } = await started(t, async () => {
      throw new Error('secret');
    });
    const answer = await fetch(url);
    assert.deepEqual([answer.status, await answer.text()], [502, 'Internal Server Error']);
  });

  it('answers 413 above six megabytes', async (t) => {
    const { url } = await started(t, async () => ({ statusCode: 200 }));
    const posted = async (bytes: number) => (await fetch(url, { method: 'POST', body: Buffer.alloc(bytes) })).status;
    assert.equal(await posted(6 * 1024 * 1024), 200);
    assert.equal(await posted(6 * 1024 * 1024 + 1), 413);
  });

  it('answers 200 with JSON when the handler returns something without a status', async (t) => {
    const { url } = await started(t, async () => ({ a: 1 }));
    const answer = await fetch(url);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/json']);
    assert.deepEqual(await answer.json(), { a: 1 });
  });

  it('answers 429 when the function has no room', async (t) => {
    const { url } = await started(t, async () => {
      throw new TooManyCalls('Rate Exceeded.');
    });
    const answer = await fetch(url);
    assert.equal(answer.status, 429);
    const reason = 'ReservedFunctionConcurrentInvocationLimitExceeded';
    assert.deepEqual(await answer.json(), { Reason: reason, Type: 'User', message: 'Rate Exceeded.' });
  });

  it('answers 403 and does not call the function when the caller may not', async (t) => {
    const access = { action: 'lambda:InvokeFunctionUrl', resource: 'arn:function', context: {} };
    const errors = [
      new SignatureError('ExpiredTokenException', 'The security token included in the request is expired'),
      new AccessDenied('arn:somebody', access, 'not allowed'),
    ];
    for (const error of errors) {
      const { url } = await started(t, () => assert.fail('called'), {
        authorize() {
          throw error;
        },
      });
      const answer = await fetch(url);
      assert.equal(answer.status, 403);
      assert.ok((await answer.text()).includes(error.message));
    }
  });

  it('tells the handler who called', async (t) => {
    const caller = { accessKeyId: 'ASIA1', account: '123456789012', arn: 'arn:aws:sts::123456789012:assumed-role/a/b' };
    const { url } = await started(
      t,
      async ({ requestContext }) => ('authorizer' in requestContext ? requestContext.authorizer : undefined),
      {
        authorize: () => caller,
      },
    );
    const { iam } = (await (await fetch(url)).json()) as { iam: Record<string, unknown> }; // the event's own part, as JSON
    assert.deepEqual([iam.accessKey, iam.accountId, iam.userArn], ['ASIA1', '123456789012', caller.arn]);
  });

  it('goes away and comes back on the same port', async (t) => {
    const functionUrl = await started(t, async () => ({ statusCode: 204 }));
    assert.equal((await fetch(functionUrl.url)).status, 204);
    await functionUrl.close();
    await assert.rejects(fetch(functionUrl.url));
    await functionUrl.open();
    assert.equal((await fetch(functionUrl.url)).status, 204);
  });
});

async function started(
  t: TestContext,
  invoke: FunctionUrlOptions['invoke'],
  options: Partial<FunctionUrlOptions> = {},
): Promise<FunctionUrl> {
  const functionUrl = await FunctionUrl.start({ invoke, ...options });
  t.after(() => functionUrl.close());
  return functionUrl;
}
