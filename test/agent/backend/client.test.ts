import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { HttpRequestInterceptor } from '@mswjs/interceptors/http';
import { delay, getResponse, HttpResponse, http, type RequestHandler } from 'msw';
import { BackendError } from '../../../agent/backend/backend-error.ts';
import { BackendClient, type Uncounted } from '../../../agent/backend/client.ts';
import { systemClock } from '../../../agent/decision/clock.ts';
import { LookupError } from '../../../agent/decision/decision.ts';
import type { ListActions } from '../../../contract/permitted-actions.ts';

const URL = 'http://function.test';
const entry = { subject: 'ip:203.0.113.0/24', list: 'manual', action: 'deny', reason: 'abuse' };
const denied = { subject: 'ip:203.0.113.7', entry };
const unlisted = { subject: 'ip:198.51.100.1', entry: null };
const SUBJECTS = [denied.subject, unlisted.subject];

/** Answers of the function that cannot be used, and what is said of each. */
const USELESS: readonly { name: string; answer: () => Response | Promise<Response>; says: RegExp }[] = [
  { name: 'status 500', answer: () => HttpResponse.json({ error: 'x' }, { status: 500 }), says: /answered status 500/ },
  {
    name: 'status 403',
    answer: () => HttpResponse.json({}, { status: 403 }),
    says: /answered status 403: it may want signed calls, which backend\.auth: iam makes/,
  },
  { name: 'status 400', answer: () => HttpResponse.json({}, { status: 400 }), says: /answered status 400$/ },
  { name: 'status 404', answer: () => HttpResponse.json({}, { status: 404 }), says: /answered status 404$/ },
  { name: 'status 413', answer: () => HttpResponse.json({}, { status: 413 }), says: /answered status 413$/ },
  { name: 'status 502', answer: () => HttpResponse.json({}, { status: 502 }), says: /answered status 502$/ },
  { name: 'status 204', answer: () => new HttpResponse(null, { status: 204 }), says: /answered status 204$/ },
  { name: 'a redirect', answer: () => HttpResponse.redirect('http://elsewhere.test/'), says: /answered status 302/ },
  { name: 'text', answer: () => HttpResponse.text('<html>'), says: /not JSON/ },
  { name: 'nothing', answer: () => new HttpResponse(null), says: /not JSON/ },
  { name: 'other JSON', answer: () => HttpResponse.json({ verdicts: 'none' }), says: /no verdicts/ },
  { name: 'no ttl', answer: () => HttpResponse.json({ verdicts: [denied, unlisted] }), says: /no ttl/ },
  {
    name: 'a negative ttl',
    answer: () => HttpResponse.json({ verdicts: [denied, unlisted], ttl: -1 }),
    says: /no ttl/,
  },
  { name: 'too few verdicts', answer: () => answered([denied]), says: /asked 2 subjects, got 1 verdicts/ },
  { name: 'too many verdicts', answer: () => answered([denied, unlisted, unlisted]), says: /got 3 verdicts/ },
  {
    name: 'verdicts in another order',
    answer: () => answered([unlisted, denied]),
    says: /asked "ip:203.0.113.7", got a verdict for "ip:198/,
  },
  {
    name: 'an entry of a list not asked',
    answer: () => answered([{ ...denied, entry: { ...entry, list: 'other' } }, unlisted]),
    says: /list "other"/,
  },
  {
    name: 'more than a megabyte',
    answer: () => HttpResponse.text('x'.repeat(1024 * 1024 + 1)),
    says: /larger than 1048576 bytes/,
  },
  {
    name: 'too late',
    answer: () => delay(600).then(() => answered([denied, unlisted])),
    says: /did not answer in time/,
  },
  { name: 'a broken connection', answer: () => HttpResponse.error(), says: /backend: \S/ },
];

describe('the backend client', () => {
  const interceptor = new HttpRequestInterceptor();
  let handler: RequestHandler;
  beforeEach(() => {
    interceptor.apply();
    interceptor.on('request', async ({ request, controller }) => {
      const response = await getResponse([handler], request);
      if (response !== undefined) controller.respondWith(response);
    });
  });
  afterEach(() => interceptor.dispose());

  it('asks all subjects and lists in one call and returns the lookups in their order', async (t) => {
    let asked: unknown;
    handler = http.post(`${URL}/v1/check`, async ({ request }) => {
      asked = await request.json();
      return answered([denied, unlisted], 42);
    });
    const { client, told } = clientOf(t);
    assert.deepEqual(await client.check(SUBJECTS), { lookups: [{ entry }, { entry: null }], ttlSeconds: 42 });
    assert.deepEqual(asked, { lists: ['manual'], subjects: SUBJECTS });
    assert.deepEqual(told, []);
  });

  it("sends the lists in shadow mode, and accepts the function's answers for them", async (t) => {
    let asked: unknown;
    const shadowed = { ...entry, list: 'new', action: 'log', shadow: 'redirect' };
    handler = http.post(`${URL}/v1/check`, async ({ request }) => {
      asked = await request.json();
      return answered([{ ...denied, entry: shadowed }, unlisted]);
    });
    const { client, told } = clientOf(t, URL, 200, ['new', 'manual'], ['new']);
    assert.deepEqual((await client.check(SUBJECTS)).lookups, [{ entry: shadowed }, { entry: null }]);
    assert.deepEqual(asked, { lists: ['new', 'manual'], shadowLists: ['new'], subjects: SUBJECTS });
    assert.deepEqual(told, []);
  });

  it('enforces no entry of a list in shadow mode if the function is too old to support that, and reports it', async (t) => {
    const { reason, subject } = entry;
    for (const [action, more] of [
      ['deny', { status: 451, vars: { body: 'x' } }],
      ['redirect', { status: 302, vars: { location: '/x' } }],
      ['allow', {}],
    ] as const) {
      const old = { ...entry, list: 'new', action, ...more };
      handler = http.post(`${URL}/v1/check`, () => answered([{ ...denied, entry: old }, unlisted]));
      const { client, told } = clientOf(t, URL, 200, ['new', 'manual'], ['new']);
      const expected = { subject, list: 'new', reason, action: 'log', shadow: action };
      assert.deepEqual((await client.check(SUBJECTS)).lookups, [{ entry: expected }, { entry: null }]);
      assert.deepEqual(told, ['ignoresShadow new']);
    }
  });

  it('says which lists are held to actions, and tells what the function did not count', async (t) => {
    let asked: unknown;
    const notCounted = { subject: 'ip:203.0.113.0/24', list: 'feed', action: 'allow' };
    const unheld = { ...notCounted, list: 'manual' };
    handler = http.post(`${URL}/v1/check`, async ({ request }) => {
      asked = await request.json();
      return answered([
        { ...denied, notCounted },
        { ...unlisted, notCounted: unheld },
      ]);
    });
    const listActions = { feed: ['deny', 'tarpit'] };
    const { client, told } = clientOf(t, URL, 200, ['manual', 'feed'], [], listActions);
    assert.deepEqual((await client.check(SUBJECTS)).lookups, [{ entry }, { entry: null }]);
    assert.deepEqual(asked, { lists: ['manual', 'feed'], listActions, subjects: SUBJECTS });
    assert.deepEqual(told, ['notCounted feed allow ip:203.0.113.0/24 false']);
  });

  it('counts nothing that a list may not do when the function does not hold it, and says so', async (t) => {
    const [subject = '', other = ''] = SUBJECTS;
    const of = (list: string, action: string) => ({ subject, list, action });
    const cases: [entry: object, lookup: object | null, told: string[]][] = [
      [of('constructor', 'allow'), null, ['allow']],
      [of('constructor', 'deny'), of('constructor', 'deny'), []],
      [{ ...of('constructor', 'redirect'), vars: { location: '/x' } }, null, ['redirect']],
      [{ ...of('constructor', 'log'), shadow: 'allow' }, null, ['log']],
      [{ ...of('constructor', 'log'), shadow: 'deny' }, { ...of('constructor', 'log'), shadow: 'deny' }, []],
      [{ ...of('constructor', 'allow'), unlessAllowed: of('manual', 'drop') }, of('manual', 'drop'), ['allow']],
      [{ ...of('manual', 'allow'), unlessAllowed: of('constructor', 'drop') }, of('manual', 'allow'), ['drop']],
      [of('manual', 'allow'), of('manual', 'allow'), []],
    ];
    for (const [answer, lookup, tells] of cases) {
      handler = http.post(`${URL}/v1/check`, () =>
        answered([
          { subject, entry: answer },
          { subject: other, entry: null },
        ]),
      );
      const { client, told } = clientOf(t, URL, 200, ['constructor', 'manual'], [], { constructor: ['deny'] });
      assert.deepEqual((await client.check(SUBJECTS)).lookups, [{ entry: lookup }, { entry: null }]);
      assert.deepEqual(
        told,
        tells.map((action) => `notCounted constructor ${action} ${subject} true`),
      );
    }
  });

  it('enforces what other lists have, and logs what is only logged', async (t) => {
    const logged = { subject: unlisted.subject, list: 'new', action: 'log' };
    handler = http.post(`${URL}/v1/check`, () => answered([denied, { ...unlisted, entry: logged }]));
    const { client, told } = clientOf(t, URL, 200, ['new', 'manual'], ['new']);
    assert.deepEqual((await client.check(SUBJECTS)).lookups, [{ entry }, { entry: logged }]);
    assert.deepEqual(told, []);
  });

  it('accepts the winner without an allow, in shadow mode or not, and nothing else beside an entry', async (t) => {
    const allow = { subject: unlisted.subject, list: 'manual', action: 'allow' };
    const next = { subject: unlisted.subject, list: 'new', action: 'deny', status: 451 };
    const lookupsOf = async (entry: object, shadowLists: string[] = []) => {
      handler = http.post(`${URL}/v1/check`, () => answered([denied, { ...unlisted, entry }]));
      const { client } = clientOf(t, URL, 200, ['new', 'manual'], shadowLists);
      return (await client.check(SUBJECTS)).lookups[1];
    };
    const both = { ...allow, unlessAllowed: next };
    assert.deepEqual(await lookupsOf(both), { entry: both });
    const { status: _status, ...shadowed } = { ...next, action: 'log', shadow: 'deny' };
    assert.deepEqual(await lookupsOf(both, ['new']), { entry: { ...allow, unlessAllowed: shadowed } });
    for (const wrong of [
      { ...next, unlessAllowed: next },
      { ...allow, unlessAllowed: allow },
      { ...allow, unlessAllowed: { ...next, vars: { body: 'a\r\nb' } } },
      { ...allow, unlessAllowed: { ...next, action: 'ban' } },
    ])
      assert.ok('error' in ((await lookupsOf(wrong)) ?? {}), JSON.stringify(wrong));
    await assert.rejects(lookupsOf({ ...allow, unlessAllowed: { ...next, list: 'other' } }), /list "other"/);
  });

  it('keeps a path in the URL of the function', async (t) => {
    handler = http.post(`${URL}/stage/v1/check`, () => answered([unlisted]));
    const { client } = clientOf(t, `${URL}/stage`);
    assert.deepEqual((await client.check([unlisted.subject])).lookups, [{ entry: null }]);
  });

  it('reads an answer with fields it does not know', async (t) => {
    handler = http.post(`${URL}/v1/check`, () =>
      HttpResponse.json({ verdicts: [{ ...unlisted, later: 1 }], ttl: 1, region: 'x' }),
    );
    assert.deepEqual((await clientOf(t).client.check([unlisted.subject])).lookups, [{ entry: null }]);
  });

  it('lets a subject that failed by itself not fail its neighbours', async (t) => {
    const failed = { subject: denied.subject, error: 'throttled' };
    for (const [said, read] of [
      [failed, { error: 'throttled' }],
      [{ ...failed, overload: false }, { error: 'throttled' }],
      [
        { ...failed, overload: true },
        { error: 'throttled', isOverload: true },
      ],
    ] as const) {
      handler = http.post(`${URL}/v1/check`, () => answered([said, unlisted]));
      assert.deepEqual((await clientOf(t).client.check(SUBJECTS)).lookups, [read, { entry: null }]);
    }
  });

  for (const [problem, bad] of Object.entries({
    'with an unknown action': { ...entry, action: 'explode' },
    'with a line feed in its reason': { ...entry, reason: 'a\r\nSet-Cookie: b' },
    'with a status without a rule': { ...entry, status: 299 },
    'that redirects to another host by a path': { ...entry, action: 'redirect', vars: { location: '//evil.example' } },
    'that routes to nowhere': { ...entry, action: 'route' },
    'with a variable that is not a string': { ...entry, vars: { path: 7 } },
    'that is in shadow mode and enforced': { ...entry, shadow: 'tarpit' },
  })) {
    it(`does not use an entry ${problem}, tells of it, and keeps its neighbours`, async (t) => {
      handler = http.post(`${URL}/v1/check`, () => answered([{ subject: denied.subject, entry: bad }, unlisted]));
      const { client, told } = clientOf(t);
      const { lookups } = await client.check(SUBJECTS);
      assert.ok('error' in (lookups[0] ?? {}));
      assert.deepEqual(lookups[1], { entry: null });
      assert.deepEqual(told, [`badEntry ${denied.subject}`]);
    });
  }

  for (const { name, answer, says } of USELESS) {
    it(`rejects ${name} as a backend error, and asks only once`, async (t) => {
      let calls = 0;
      handler = http.post(`${URL}/v1/check`, () => {
        calls++;
        return answer();
      });
      const { client, told } = clientOf(t);
      await assert.rejects(
        client.check(SUBJECTS),
        (error) => error instanceof LookupError && error.reason === 'backend_error' && says.test(error.message),
      );
      assert.deepEqual({ calls, told }, { calls: 1, told: [] });
    });
  }
});

describe('a function that throttles', () => {
  it('is too much asked, which is no failure of its own', async (t) => {
    const interceptor = new HttpRequestInterceptor();
    t.after(() => interceptor.dispose());
    interceptor.apply();
    interceptor.on('request', ({ controller }) => controller.respondWith(HttpResponse.json({}, { status: 429 })));
    await assert.rejects(clientOf(t).client.check(SUBJECTS), { reason: 'overload', fault: 'throttled' });
  });
});

describe('what a failure says about the function', () => {
  const interceptor = new HttpRequestInterceptor();
  afterEach(() => interceptor.dispose());

  for (const [status, fault] of [
    [400, 'refused'],
    [403, 'refused'],
    [404, 'refused'],
    [429, 'throttled'],
    [500, 'failing'],
    [503, 'failing'],
    [302, 'failing'],
  ] as const)
    it(`is "${fault}" for status ${status}`, async (t) => {
      interceptor.apply();
      interceptor.on('request', ({ controller }) => controller.respondWith(HttpResponse.json({}, { status })));
      await assert.rejects(clientOf(t).client.check(SUBJECTS), (error) => {
        assert.ok(error instanceof BackendError);
        assert.equal(error.fault, fault);
        return true;
      });
    });

  for (const [url, fault] of [
    ['http://127.0.0.1:1', 'unreachable'],
    ['http://no-such-host.invalid', 'unreachable'],
  ] as const)
    it(`is "${fault}" for ${url}`, async (t) => {
      await assert.rejects(clientOf(t, url, 2000).client.check(SUBJECTS), { fault });
    });

  for (const [status, isWell] of [
    [200, true],
    [403, false],
    [500, false],
  ] as const)
    it(`is that it is ${isWell ? '' : 'not '}well when its health has status ${status}`, async (t) => {
      interceptor.apply();
      interceptor.on('request', ({ request, controller }) => {
        assert.equal(`${request.method} ${request.url}`, `GET ${URL}/stage/v1/health`);
        controller.respondWith(HttpResponse.json({}, { status }));
      });
      assert.equal(await clientOf(t, `${URL}/stage`).client.isWell(), isWell);
    });
});

describe('the backend client and sockets', () => {
  const half = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"verdicts":[';
  const cases: Record<string, (socket: Socket) => void> = {
    'closes in the middle of the answer': (socket) => void socket.end(half),
    'resets the connection': (socket) => void socket.resetAndDestroy(),
    'answers what is no HTTP': (socket) => void socket.end('SSH-2.0-OpenSSH\r\n'),
    'stops in the middle of the answer': (socket) => void socket.write(half),
    'never answers': () => {},
  };
  for (const [name, behave] of Object.entries(cases)) {
    it(`rejects with a backend error within its time when the function ${name}`, async (t) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => behave(socket));
        t.after(() => socket.destroy());
      }).listen(0, '127.0.0.1');
      t.after(() => server.close());
      await once(server, 'listening');
      const { client } = clientOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`); // it listens
      await assert.rejects(
        client.check(SUBJECTS),
        (error) => error instanceof LookupError && error.reason === 'backend_error',
      );
    });
  }

  it('rejects with a backend error when nobody listens', async (t) => {
    const { client } = clientOf(t, 'http://127.0.0.1:1');
    await assert.rejects(client.check(SUBJECTS), /backend: connect ECONNREFUSED/);
  });
});

function answered(verdicts: object[], ttl = 60): Response {
  return HttpResponse.json({ verdicts, ttl });
}

function clientOf(
  t: TestContext,
  url = URL,
  timeoutMs = 200,
  lists: readonly string[] = ['manual'],
  shadowLists: readonly string[] = [],
  listActions: ListActions = {},
): { client: BackendClient; told: string[] } {
  const told: string[] = [];
  const events = {
    badEntry: (subject: string) => void told.push(`badEntry ${subject}`),
    ignoresShadow: (list: string) => void told.push(`ignoresShadow ${list}`),
    notCounted: ({ list, action, subject }: Uncounted, isBlind: boolean) =>
      void told.push(`notCounted ${list} ${action} ${subject} ${isBlind}`),
  };
  const settings = { url, timeoutMs, maxConcurrent: 4, shadowLists, listActions };
  const client = new BackendClient(settings, lists, events, systemClock);
  t.after(() => client.close());
  return { client, told };
}
