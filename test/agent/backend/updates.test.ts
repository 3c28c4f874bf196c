import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { openBackend } from '../../../agent/backend/backend.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import type { Change, UpdatesPage } from '../../../contract/updates.ts';

const LISTS = ['manual', 'feed'];
const change = (n: number, entry: Partial<Change['entry'] & object> = {}): Change => {
  const subject = `ip:198.51.${n >> 8}.${n & 255}`;
  return { key: { subject, list: 'manual' }, entry: { subject, list: 'manual', action: 'deny', ...entry } };
};
const NOT_LISTED = JSON.stringify({ verdicts: [{ subject: 'ip:192.0.2.1', entry: null }], ttl: 60 });
const page = (more: object = {}): UpdatesPage => ({
  ...{ cursor: 'b.2.c', changes: [change(1)], provenAgeMs: 700, now: 1, more: false, waitMs: 1000 },
  ...more,
});

/** A backend whose functions answer as the test says, and what they were asked. */
async function setUp(t: TestContext, answers: readonly { status?: number; body?: string }[]) {
  const asked: string[] = [];
  const urls = await Promise.all(
    answers.map(async ({ status = 200, body = JSON.stringify(page()) }) => {
      const server = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.writeHead(status).end(request.method === 'POST' ? NOT_LISTED : body);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  const told: unknown[] = [];
  const tell = (...what: unknown[]) => void told.push(what);
  const backend = await openBackend(
    { targets: urls.map((url) => ({ url })), timeoutMs: 2000, maxConcurrent: 1 },
    { lists: LISTS, shadowLists: [], listActions: {} },
    { info: tell, warn: tell, error: tell },
    systemClock,
    { gotCredentials() {}, notCounted() {}, called: tell, callFailed: tell },
  );
  t.after(() => backend.close());
  return { backend, urls: urls as [string, ...string[]], asked, told };
}

describe('a poll of updates', () => {
  it('asks for the end of the log without a place, and for what comes after a place', async (t) => {
    const { backend, urls, asked } = await setUp(t, [{}]);
    const [url] = urls;
    assert.deepEqual(await backend.updates(undefined), { url, isEnd: true, answer: page() });
    assert.deepEqual(await backend.updates({ url, cursor: 'b.1.a' }), { url, isEnd: false, answer: page() });
    assert.deepEqual(asked, ['GET /v1/updates?lists=manual%2Cfeed', 'GET /v1/updates?after=b.1.a&lists=manual%2Cfeed']);
  });

  it('asks for the end of the log where the place is that of another backend', async (t) => {
    const { backend, asked } = await setUp(t, [{}]);
    assert.equal((await backend.updates({ url: 'https://other.example', cursor: 'b.1.a' })).isEnd, true);
    assert.deepEqual(asked, ['GET /v1/updates?lists=manual%2Cfeed']);
  });

  it('goes to the backend that lookups go to', async (t) => {
    const { backend, urls } = await setUp(t, [{ status: 500 }, {}]);
    assert.equal(await backend.updates(undefined).catch(() => 'failed'), 'failed');
    for (let times = 0; times < 3; times++) await backend.check(['ip:192.0.2.1']).catch(() => {});
    assert.equal((await backend.updates({ url: urls[0], cursor: 'b.1.a' })).url, urls[1]);
  });

  it('knows a place that is gone, and a backend without updates', async (t) => {
    for (const [status, answer] of [
      [410, 'gone'],
      [404, 'none'],
    ] as const) {
      const { backend } = await setUp(t, [{ status, body: '{"error":"no"}' }]);
      assert.equal((await backend.updates(undefined)).answer, answer);
    }
  });

  it('that fails counts neither as a call nor as a failure of one', async (t) => {
    const { backend, told } = await setUp(t, [{ status: 500 }]);
    for (let times = 0; times < 10; times++) await assert.rejects(backend.updates(undefined), /status 500/);
    assert.deepEqual(told, []);
  });

  const many = Array.from({ length: 450 }, (_, n) => change(n));
  it('reads a page of any length', async (t) => {
    const { backend } = await setUp(t, [{ body: JSON.stringify(page({ changes: many })) }]);
    assert.deepEqual((await backend.updates(undefined)).answer, page({ changes: many }));
  });

  const last = (bad: unknown) => JSON.stringify(page({ changes: [...many, bad] }));
  const spoilt: readonly (readonly [what: string, answer: { status?: number; body?: string }])[] = [
    ['429', { status: 429 }],
    ['403', { status: 403 }],
    ['302', { status: 302 }],
    ['nothing', { body: '' }],
    ['half a page', { body: JSON.stringify(page()).slice(0, -20) }],
    ['another JSON', { body: '[]' }],
    ['no cursor', { body: JSON.stringify({ ...page(), cursor: undefined }) }],
    ['a cursor that cannot be sent', { body: JSON.stringify(page({ cursor: 'a&lists=x' })) }],
    ['a negative age', { body: JSON.stringify(page({ provenAgeMs: -1 })) }],
    ['too many changes', { body: JSON.stringify(page({ changes: Array(2001).fill({}) })) }],
    ['a last change without a key', { body: last({ entry: null }) }],
    ['a last change that is null', { body: last(null) }],
    ['a last change of a list that was not asked', { body: last({ key: { subject: 'x', list: 'z' }, entry: null }) }],
    ['a last entry of an unknown action', { body: last(change(1, { action: 'ban' as 'deny' })) }],
    ['a last entry with a status that its action cannot have', { body: last(change(1, { status: 302 })) }],
    ['a last entry of another list', { body: last(change(1, { list: 'feed' })) }],
    ['a last entry in shadow', { body: last(change(1, { action: 'log', shadow: 'deny' })) }],
    ['more than 1 MiB', { body: JSON.stringify(page({ more: 'x'.repeat(1024 * 1024) })) }],
  ];
  for (const [what, answer] of spoilt)
    it(`gets nothing from ${what}`, async (t) => {
      const { backend } = await setUp(t, [answer]);
      await assert.rejects(backend.updates(undefined), { name: 'LookupError' });
    });
});
