import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { temporaryFolder } from '../support/config-file.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { type Answer, askOnce, DENY, PLAIN, type RecentSite, startRecentSite } from '../support/recent-site.ts';
import { hasIpv6, hasNewer, longRuns } from '../support/scope.ts';
import { startTableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const CLIENT = '192.0.2.7';
const SECONDS = 2;
/** Long enough that a test ends before it, however busy the machine is. */
const LONG = { recentSeconds: 60 };

/** Answers after which the next request is asked about again: the variables, and the status of the request. */
const ALWAYS_ASKED: Readonly<Record<string, readonly [Answer, number]>> = {
  deny: [DENY, 403],
  'deny without a list': [{ action: 'deny', source: 'cache' }, 403],
  redirect: [{ action: 'redirect', source: 'cache', location: '/x', list: 'manual' }, 302],
  tag: [{ action: 'tag', source: 'cache', list: 'manual', 'req.set.x_plan': 'gold' }, 200],
  route: [{ action: 'route', source: 'cache', list: 'manual', backend: 'blue' }, 200],
  log: [{ action: 'log', source: 'cache', list: 'manual' }, 200],
  'shadow mode': [{ action: 'log', source: 'cache', list: 'manual', shadow: 'deny' }, 200],
  'an allow of an entry': [{ action: 'allow', source: 'cache', list: 'partners', entry: 'ip:192.0.2.7' }, 200],
  'an allow that changes headers': [{ ...PLAIN, list: 'partners', 'req.set.x_plan': 'gold' }, 200],
  'an allow of the policy': [{ action: 'allow', source: 'policy', reason: 'timeout' }, 200],
  'an allow of a stale verdict': [{ action: 'allow', source: 'stale' }, 200],
  'an allow of the script': [{ action: 'allow', source: 'script' }, 200],
  'a source of a later version': [{ action: 'allow', source: 'elsewhere' }, 200],
  'no variables at all': [{}, 503],
};

describeOnEveryHaproxy('recentSeconds', (build) => {
  it('asks about a client as often as it must, whatever its rate', async (t) => {
    const site = await startRecentSite(t, build, { haproxy: { recentSeconds: SECONDS } });
    const first = await site.ask(CLIENT);
    let last = first;
    let requests = 1;
    for (; last.endedAt - first.endedAt < 3; requests++) {
      last = await site.ask(CLIENT);
      assert.deepEqual([last.status, last.action], [200, 'allow']);
    }
    // in the first second, and in the second after next or later
    assert.equal(site.asked.get(CLIENT), 2, `${requests} requests`);
  });

  it('denies a client that is blocked meanwhile within that time', async (t) => {
    const site = await startRecentSite(t, build, { haproxy: { recentSeconds: SECONDS } });
    for (let round = 0; round < 2; round++) {
      site.answers.set(CLIENT, PLAIN);
      await until(
        async () => (await site.ask(CLIENT)).source === 'recent',
        () => 'never recent',
      );
      site.answers.set(CLIENT, DENY);
      const blocked = await site.ask('192.0.2.8'); // HAProxy's clock
      let last = blocked;
      while (last.status === 200) {
        last = await site.ask(CLIENT);
        if (last.status === 200) assert.ok(last.beganAt - blocked.endedAt < SECONDS, JSON.stringify([blocked, last]));
      }
      assert.equal(last.status, 403);
      for (let time = 0; time < 3; time++) assert.equal((await site.ask(CLIENT)).status, 403);
    }
  });

  for (const policy of ['open', 'closed'] as const)
    it(`asks every time unless the answer is a plain allow, under ${policy}`, async (t) => {
      const site = await startRecentSite(t, build, { haproxy: LONG, message: { policy: { default: policy } } });
      for (const [index, [name, [answer, status]]] of Object.entries(ALWAYS_ASKED).entries()) {
        const client = `198.51.100.${index}`;
        site.answers.set(client, answer);
        const expected = name === 'no variables at all' && policy === 'open' ? 200 : status;
        for (let time = 1; time <= 3; time++) {
          assert.equal((await site.ask(client)).status, expected, name);
          assert.equal(site.asked.get(client), time, name);
        }
      }
      for (const [index, source] of ['cache', 'backend'].entries()) {
        const client = `198.51.100.${100 + index}`;
        site.answers.set(client, { action: 'allow', source });
        const sources = [];
        for (let time = 0; time < 3; time++) sources.push((await site.ask(client)).source);
        assert.deepEqual(sources, [source, 'recent', 'recent']);
        assert.equal(site.asked.get(client), 1);
      }
    });

  for (const policy of hasNewer ? (['open', 'closed'] as const) : (['open'] as const))
    it(`stores nothing when the agent does not answer or is gone, under ${policy}`, async (t) => {
      const site = await startRecentSite(t, build, {
        haproxy: LONG,
        message: { policy: { default: policy } },
      });
      const unknown = policy === 'open' ? 200 : 503;
      await site.ask('192.0.2.1');
      site.answers.set(CLIENT, undefined);
      assert.equal((await site.ask(CLIENT)).status, unknown);
      site.answers.delete(CLIENT);
      const { status, source } = await site.ask(CLIENT);
      assert.deepEqual([status, source], [200, 'cache']);
      site.stopAgent();
      assert.equal((await site.ask('192.0.2.1')).source, 'recent');
      for (let time = 0; time < 2; time++) {
        const response = await site.ask('192.0.2.2');
        assert.deepEqual([response.status, response.source], [unknown, undefined]);
      }
    });

  it('asks more often when the table is full, and allows nobody else for it', async (t) => {
    const site = await startRecentSite(t, build, { haproxy: { ...LONG, recentAddresses: 10 } });
    for (let client = 0; client < 200; client++) {
      site.answers.set(`198.51.100.${client}`, client % 2 === 0 ? PLAIN : DENY);
      assert.equal((await site.ask(`198.51.100.${client}`)).status, client % 2 === 0 ? 200 : 403);
    }
    assert.equal((await site.ask('198.51.100.198')).source, 'recent');
    assert.equal((await site.ask('198.51.100.0')).source, 'cache');
    for (let client = 0; client < 200; client++)
      assert.equal((await site.ask(`198.51.100.${client}`)).status, client % 2 === 0 ? 200 : 403);
  });

  it('does not take a time in the future or long ago for recent', async (t) => {
    const at = (header: string, expression: string) => [
      `http-request track-sc1 req.hdr_ip(x-client) table haverdict-agents if { req.hdr(${header}) -m found }`,
      `http-request sc-set-gpt0(1) ${expression} if { req.hdr(${header}) -m found }`,
    ];
    const above = [
      ...at('x-future', 'date(3600)'),
      ...at('x-soon', 'date(2)'),
      ...at('x-last', 'int(4294967295)'),
      ...at('x-old', 'date(-60)'),
    ];
    const site = await startRecentSite(t, build, { haproxy: LONG, above });
    for (const header of ['x-future', 'x-last', 'x-old', 'x-soon']) {
      await site.ask(CLIENT);
      assert.equal((await site.ask(CLIENT)).source, 'recent');
      assert.equal((await site.ask(CLIENT, { [header]: '1' })).source, 'cache', header);
    }
  });

  it('is about the address that the message has, in each spelling', async (t) => {
    const site = await startRecentSite(t, build, { haproxy: LONG });
    for (const spellings of [['192.0.2.7'], ['2001:db8::7', '2001:DB8:0::7']])
      for (const [index, spelling] of spellings.entries())
        assert.equal((await site.ask(spelling)).source, index === 0 ? 'cache' : 'recent', spelling);
    assert.equal((await site.ask('192.0.2.7')).source, 'recent');
    assert.equal((await site.ask('192.0.2.8')).source, 'cache');
    site.answers.set('none', { action: 'deny', source: 'policy', reason: 'bad_subject' });
    for (let time = 0; time < 2; time++) assert.equal((await site.ask(undefined)).status, 403);
    for (let time = 0; time < 2; time++) assert.equal((await site.ask('no address')).status, 403);
    assert.equal(site.asked.get('none'), 4);
  });

  it('is about the client behind a proxy, and not about the connection', async (t) => {
    const site = await startRecentSite(t, build, {
      haproxy: LONG,
      message: { subjects: [{ kind: 'ip', expression: 'src' }] },
      binds: (port) => [`127.0.0.1:${port}`],
      above: ['http-request set-src req.hdr(x-client)'],
    });
    site.answers.set('192.0.2.9', DENY);
    for (const source of ['cache', 'recent']) assert.equal((await site.ask(CLIENT)).source, source);
    for (let time = 0; time < 2; time++) assert.equal((await site.ask('192.0.2.9')).status, 403);
    assert.equal((await site.ask(CLIENT)).source, 'recent');
    assert.equal((await site.ask('192.0.2.8')).source, 'cache');
  });

  it('is about the source of each connection, IPv4 and IPv6', async (t) => {
    const site = await startRecentSite(t, build, {
      haproxy: LONG,
      message: { subjects: [{ kind: 'ip', expression: 'src' }] },
    });
    for (const from of ['127.63.0.1', '127.63.0.2', ...(hasIpv6 ? ['::1'] : [])])
      for (const source of ['cache', 'recent'])
        assert.equal((await askOnce(site.port, false, {}, from)).source, source);
  });

  it('is about the client that a PROXY header names', async (t) => {
    const site = await startRecentSite(t, build, {
      haproxy: LONG,
      message: { subjects: [{ kind: 'ip', expression: 'src' }] },
      binds: (port) => [`127.0.0.1:${port}`, `127.0.0.2:${port} accept-proxy`],
    });
    const behind = async (header: string) => {
      const text = await exchange(site.port, `${header}\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      return /x-haverdict-source: (\w+)/.exec(text)?.[1];
    };
    const from = (client: string) => behind(`PROXY TCP4 ${client} 127.0.0.1 1000 80`);
    assert.deepEqual([await from(CLIENT), await from(CLIENT), await from('192.0.2.8')], ['cache', 'recent', 'cache']);
  });

  it('asks about every request where the client has no address', async (t) => {
    const path = join(temporaryFolder(t), 'site.sock');
    const site = await startRecentSite(t, build, {
      haproxy: LONG,
      message: { subjects: [{ kind: 'ip', expression: 'src' }], policy: { default: 'open' } },
      binds: (port) => [`127.0.0.1:${port}`, `unix@${path}`],
    });
    for (let time = 1; time <= 3; time++) {
      const text = await exchange(path, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      assert.match(text, /x-haverdict-source: cache/);
      assert.equal(site.asked.get('none'), time);
    }
  });

  it('holds for streams of HTTP/2 in parallel', async (t) => {
    const site = await startRecentSite(t, build, {
      haproxy: LONG,
      binds: (port) => [`127.0.0.1:${port}`, `127.0.0.2:${port} proto h2`],
    });
    site.answers.set('192.0.2.9', DENY);
    const session = connectHttp2(`http://127.0.0.2:${site.port}`);
    t.after(() => session.destroy());
    const stream = (client: string) =>
      new Promise<string>((resolve, reject) => {
        const request = session.request({ ':path': '/', 'x-client': client });
        request.on('response', (headers) => {
          request.resume();
          resolve(`${headers[':status']} ${headers['x-haverdict-source']}`);
        });
        request.on('error', reject).end();
      });
    const all = () => Promise.all(Array.from({ length: 20 }, (_, n) => stream(n % 2 === 0 ? CLIENT : '192.0.2.9')));
    const first = await all();
    const second = await all();
    for (const told of [first, second])
      assert.deepEqual(
        told.filter((_, n) => n % 2 === 1),
        Array.from({ length: 10 }, () => '403 cache'),
      );
    assert.ok(first.every((told) => /^(200 (cache|recent)|403 cache)$/.test(told)));
    assert.deepEqual(
      second.filter((_, n) => n % 2 === 0),
      Array.from({ length: 10 }, () => '200 recent'),
    );
    assert.equal(site.asked.get('192.0.2.9'), 20);
  });

  it('agrees with a model for random arrivals', { timeout: 120_000 }, async (t) => {
    for (const recentSeconds of [1, 2]) {
      const site = await startRecentSite(t, build, { haproxy: { recentSeconds } });
      let run = 1; // 2001:db8::0 is not how an address is answered for
      const arrival = fc.record({
        client: fc.constantFrom('203.0.113.', '2001:db8::'),
        afterMs: fc.constantFrom(0, 1, 60, 300, 600, 1100),
        verdict: fc.constantFrom('plain', 'plain', 'plain', 'deny'),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(arrival, { minLength: 6, maxLength: 8 }), (arrivals) =>
          agrees(site, recentSeconds, run++, arrivals),
        ),
        { numRuns: longRuns(20, 1), endOnFailure: true },
      );
    }
  });

  it('denies after at most that time and the lifetime in the cache of a real agent', async (t) => {
    const site = await startTableSite({
      haproxy: build,
      config: {
        deadlineMs: 1000,
        policy: 'closed',
        cache: { allowTtlSeconds: 1 },
        haproxy: { version: build.version, recentSeconds: 1 },
        messages: { check: { subjects: { ip: 'src' } } },
      },
    });
    t.after(site.stop);
    const client = '127.63.0.9';
    const ask = async () => (await site.site.visit(client)).status;
    await until(
      async () => (await ask()) === 200,
      () => site.site.agent.lines.slice(-3).join('\n'),
    );
    site.table.type({ subject: `ip:${client}`, action: 'deny' });
    const blockedMs = performance.now();
    await until(
      async () => {
        const startedMs = performance.now();
        const status = await ask();
        if (status === 200) assert.ok(startedMs - blockedMs < 2000, `allowed ${startedMs - blockedMs} ms later`);
        return status === 403;
      },
      () => site.site.agent.lines.slice(-3).join('\n'),
    );
  });
});

interface Arrival {
  readonly client: string;
  readonly afterMs: number;
  readonly verdict: string;
}

/** The model, about clients that only this run has: recent is who was allowed, when asked about last, in this second or one of the `recentSeconds - 1` before. */
async function agrees(
  site: RecentSite,
  recentSeconds: number,
  run: number,
  arrivals: readonly Arrival[],
): Promise<void> {
  const allowedAt = new Map<string, number>();
  for (const { client: network, afterMs, verdict } of arrivals) {
    const client = `${network}${run}`;
    await pause(afterMs);
    site.answers.set(client, verdict === 'plain' ? PLAIN : DENY);
    const response = await site.ask(client);
    const known = allowedAt.get(client);
    const isRecent = known !== undefined && response.beganAt - known < recentSeconds;
    const told = JSON.stringify({ client, known, response, recentSeconds });
    assert.equal(response.source === 'recent', isRecent, told);
    assert.equal(response.status, isRecent || verdict === 'plain' ? 200 : 403, told);
    if (!isRecent && verdict === 'plain') allowedAt.set(client, response.endedAt);
  }
}

/** What comes back for these bytes on a connection of its own. */
function exchange(to: number | string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = typeof to === 'number' ? connect({ host: '127.0.0.2', port: to }) : connect(to);
    socket.setEncoding('latin1').on('data', (part) => {
      received += part;
    });
    socket.on('error', reject).on('end', () => resolve(received));
    socket.write(bytes);
  });
}
