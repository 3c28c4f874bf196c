import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startFunctionUrl } from '../../../dev/local-cloud/function-url.ts';
import type { Handler } from '../../../functions/check/handler.ts';
import type { FunctionUrlEvent } from '../../../functions/check/http.ts';

describe('the local function URL', () => {
  it('calls the handler with an event of payload format 2.0', async (t) => {
    const events: FunctionUrlEvent[] = [];
    const { url } = await started(t, async (event) => {
      events.push(event);
      return { statusCode: 201, headers: { 'x-a': 'b' }, body: 'ä' };
    });
    const answer = await fetch(`${url}/v1/check?a=1`, {
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
    const { url } = await started(t, async (event) => ({ body: `${event.isBase64Encoded} ${event.body}` }));
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

  it('goes away and comes back on the same port', async (t) => {
    const handler: Handler = async () => ({ statusCode: 204 });
    const first = await startFunctionUrl({ handler });
    assert.equal((await fetch(first.url)).status, 204);
    await first.close();
    await assert.rejects(fetch(first.url));
    const again = await startFunctionUrl({ handler, port: Number(new URL(first.url).port) });
    t.after(() => again.close());
    assert.equal((await fetch(again.url)).status, 204);
  });
});

async function started(t: TestContext, handler: Handler) {
  const functionUrl = await startFunctionUrl({ handler });
  t.after(() => functionUrl.close());
  return functionUrl;
}
