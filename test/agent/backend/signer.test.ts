import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { BackendClient } from '../../../agent/backend/client.ts';
import { Credentials } from '../../../agent/backend/credentials.ts';
import { createSigner } from '../../../agent/backend/signer.ts';
import type { Clock } from '../../../agent/decision/clock.ts';
import { updatesQuery } from '../../../contract/updates.ts';
import { SignatureError, verify } from '../../../dev/local-cloud/sigv4-verifier.ts';
import { HandClock } from '../../support/clock.ts';

const KEYS = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret/with+signs', sessionToken: 'token=='.repeat(50) };
const SUBJECT = 'ip:198.51.100.1';
const ANSWER = JSON.stringify({ verdicts: [{ subject: SUBJECT, entry: null }], ttl: 60 });

describe('signed calls', () => {
  it('are taken by a verifier that was written apart, as they come over the wire', async (t) => {
    const { client, requests } = await signedWorld(t);
    assert.deepEqual((await client.check([SUBJECT])).lookups, [{ entry: null }]);
    assert.equal(await client.isWell(), true);
    const [check] = requests;
    const signed = /SignedHeaders=([^,]+)/.exec(check?.headers.authorization ?? '')?.[1]?.split(';') ?? [];
    for (const name of ['host', 'content-type', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'])
      assert.ok(signed.includes(name), `${name} is not signed`);
    assert.match(check?.headers.host ?? '', /^127\.0\.0\.1:\d+$/);
  });

  it('may have a path in the URL that has to be encoded', async (t) => {
    const { client } = await signedWorld(t, { path: '/a%20b/c' });
    assert.deepEqual((await client.check([SUBJECT])).lookups, [{ entry: null }]);
  });

  it('may have a query, which is part of what is signed', async () => {
    const clock = new HandClock();
    const credentials = new Credentials(() => Promise.resolve(KEYS), clock, { got() {}, failed() {}, renewed() {} });
    const sign = await createSigner('eu-central-1', credentials, clock);
    const target = `/v1/updates?${updatesQuery({ after: 'a-1._', lists: ['manual', 'feed'] })}`;
    const headers = await sign({ method: 'GET', path: target, headers: { host: 'function.example' } });
    const received = { method: 'GET', headers, body: new Uint8Array() };
    const find = () => ({ ...KEYS, expiresAtMs: clock.epochMs() + 1, source: 'role' });
    const options = { region: 'eu-central-1', service: 'lambda', find, clock: () => clock.epochMs() };
    verify({ ...received, target }, options);
    assert.throws(() => verify({ ...received, target: target.replace('feed', 'fee') }, options), SignatureError);
  });

  for (const [what, options, says] of [
    ['of another region', { region: 'eu-west-1' }, /status 403: the function refused the signature or the role lacks/],
    ['with another secret', { secret: 'other' }, /lambda:InvokeFunctionUrl \/ lambda:InvokeFunction/],
    ['with credentials that expired', { expiresInMs: -1 }, /the AWS credentials of this host have expired/],
    ['ten minutes late', { skewMs: -10 * 60_000 }, /this host's clock is 10 minutes behind the function's/],
    ['ten minutes early', { skewMs: 10 * 60_000 }, /this host's clock is 10 minutes ahead of the function's/],
    ['late, by an answer without a date', { skewMs: -10 * 60_000, date: false }, /clock differs from the function's/],
  ] as const)
    it(`are refused when made ${what}, and the error says it`, async (t) => {
      const { client, requests } = await signedWorld(t, options);
      await assert.rejects(client.check([SUBJECT]), { reason: 'backend_error', fault: 'refused', message: says });
      assert.equal(requests.length, 1);
    });

  it('do not blame a clock that differs by a minute', async (t) => {
    const { client } = await signedWorld(t, { skewMs: 60_000, secret: 'other' });
    await assert.rejects(client.check([SUBJECT]), /refused the signature/);
  });

  it('fail without a call when there are no credentials, also when those come too late', async (t) => {
    for (const load of [() => Promise.reject(new Error('nothing configured')), () => new Promise<never>(() => {})]) {
      const { client, requests } = await signedWorld(t, { load });
      await assert.rejects(client.check([SUBJECT]), {
        reason: 'backend_error',
        fault: 'ours',
        message: /backend: (no AWS credentials: nothing configured|cannot sign in time)/,
      });
      assert.equal(requests.length, 0);
    }
  });
});

interface Options {
  readonly path?: string;
  readonly region?: string;
  readonly secret?: string;
  readonly skewMs?: number;
  readonly date?: boolean;
  readonly expiresInMs?: number;
  readonly load?: () => Promise<never>;
}

/** A client whose calls are signed, and a function that checks them; their clocks differ by `skewMs`. */
async function signedWorld(t: TestContext, options: Options = {}) {
  const { path = '', region = 'eu-central-1', secret = KEYS.secretAccessKey, skewMs = 0, date = true } = options;
  const clock = new HandClock();
  const requests: IncomingMessage[] = [];
  const server = createServer(async (request, response) => {
    requests.push(request);
    const problem = await refusalOf(request, clock, options.expiresInMs ?? 60_000);
    response.statusCode = problem === undefined ? 200 : 403;
    response.sendDate = false;
    if (date) response.setHeader('date', new Date(clock.epochMs()).toUTCString());
    response.end(problem === undefined ? ANSWER : JSON.stringify({ message: problem }));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens
  const own: Clock = { ...shifted(clock, skewMs) };
  const load = options.load ?? (() => Promise.resolve({ ...KEYS, secretAccessKey: secret }));
  const credentials = new Credentials(load, own, { got() {}, failed() {}, renewed() {} });
  const sign = await createSigner(region, credentials, own);
  const events = { badEntry() {}, ignoresShadow() {}, notCounted() {} };
  const settings = { url: `http://127.0.0.1:${port}${path}`, timeoutMs: 500, maxConcurrent: 2 };
  const client = new BackendClient(settings, ['manual'], events, own, sign);
  t.after(() => client.close());
  return { client, requests };
}

function shifted(clock: Clock, ms: number): Clock {
  return {
    nowMs: () => clock.nowMs(),
    epochMs: () => clock.epochMs() + ms,
    after: (delayMs, task) => clock.after(delayMs, task),
  };
}

async function refusalOf(request: IncomingMessage, clock: Clock, expiresInMs: number): Promise<string | undefined> {
  const body = Buffer.concat(await request.toArray());
  const { method = '', url: target = '', headers } = request;
  try {
    verify(
      { method, target, headers, body },
      {
        region: 'eu-central-1',
        service: 'lambda',
        find: () => ({ ...KEYS, expiresAtMs: clock.epochMs() + expiresInMs }) as ReturnType<typeof verify>, // no role
        clock: () => clock.epochMs(),
      },
    );
    return undefined;
  } catch (error) {
    if (error instanceof SignatureError) return error.message;
    throw error;
  }
}
