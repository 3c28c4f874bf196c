import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminServer } from '../../../agent/admin/server.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import type { ListenAddress } from '../../../config/listen-address.ts';
import { HandClock } from '../../support/clock.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { sampleState } from './sample-state.ts';

const hits = async () => ({ sinceMs: 0, isComplete: true, entries: [] });

const LOOPBACK: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: 0 };
const { backend } = sampleState();

interface Given {
  readonly target?: ListenAddress;
  readonly state?: () => Promise<AgentState>;
  readonly hosts?: readonly string[];
}

async function start(t: TestContext, { target = LOOPBACK, state = async () => sampleState(), hosts = [] }: Given = {}) {
  const clock = new HandClock();
  const server = new AdminServer(target, { state, hits, clock, hosts });
  await server.open();
  t.after(() => server.close());
  const url = server.address.replace('tcp:', 'http:');
  const get = (path: string, init?: RequestInit) => fetch(url + path, init);
  return { server, clock, url, get };
}

describe('the admin server', () => {
  it('serves what there is, for no cache, no frame and no other origin', async (t) => {
    const { get } = await start(t);
    for (const path of ['/', '/metrics', '/state.json', '/hits.json', '/livez', '/readyz?verbose']) {
      const response = await get(path);
      assert.equal(response.status, 200, path);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(response.headers.get('access-control-allow-origin'), null);
      assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
    }
    assert.equal((await get('/constructor')).status, 404);
  });

  it('takes GET and HEAD alone', async (t) => {
    const { get } = await start(t);
    const head = await get('/metrics', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await get('/', { method, ...(method === 'OPTIONS' ? {} : { body: 'x' }) });
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD'], method);
    }
  });

  for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::'])
    it(`does not answer on ${host} to a name that a stranger pointed there`, async (t) => {
      const { url } = await start(t, { target: { type: 'tcp', host, port: 0 }, hosts: ['haproxy-1.example'] });
      const { port } = new URL(url);
      const reached = `http://${host.includes(':') ? '[::1]' : '127.0.0.1'}:${port}`;
      for (const stranger of ['evil.example:9101', '127.0.0.1.evil.example', '[2001:db8::1]:9101', '192.0.2.1'])
        for (const path of ['/', '/state.json', '/metrics', '/livez'])
          assert.equal(await statusOf(reached + path, stranger), 421, `${stranger} ${path}`);
      for (const ours of ['localhost', 'LOCALHOST:8080', '127.0.0.1:9101', '[::1]:9101', 'haproxy-1.example:9101'])
        assert.equal(await statusOf(`${reached}/livez`, ours), 200, ours);
    });

  it('answers who asks, however many connections do not, and cuts off nobody who is being answered', async (t) => {
    const answering = Promise.withResolvers<AgentState>();
    const { server, url } = await start(t, { state: () => answering.promise });
    const { hostname, port } = new URL(url);
    const early = raw(url, 'GET /state.json HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    const idle: Socket[] = [];
    t.after(() => {
      for (const socket of idle) socket.destroy();
    });
    for (let nth = 0; nth < 300; nth++) {
      const socket = connect(Number(port), hostname).on('error', () => {});
      if (nth % 2 === 0) socket.write('GET /livez HTTP/1.1\r\nhost: loc'); // and never ends it
      idle.push(socket);
      await once(socket, 'connect');
      if (nth % 20 === 0) assert.match(await raw(url, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
    }
    assert.match(await raw(url, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
    assert.ok(server.connections <= 64, `${server.connections} are open`);
    answering.resolve(sampleState());
    assert.match(await early, /^HTTP\/1\.1 200 /);
  });

  it('asks for the state once a second, however many read', async (t) => {
    let asked = 0;
    const { get, clock } = await start(t, { state: async () => sampleState({ pid: ++asked }) });
    await Promise.all(Array.from({ length: 20 }, () => get('/metrics')));
    clock.advance(999);
    await get('/');
    assert.equal(asked, 1);
    clock.advance(1);
    await get('/');
    assert.equal(asked, 2);
  });

  it('is ready with a backend in trouble, and says so', async (t) => {
    const { get } = await start(t, { state: async () => sampleState({ backend: { ...backend, breaker: 'open' } }) });
    const response = await get('/readyz');
    assert.equal(response.status, 200);
    assert.equal(
      await response.text(),
      'degraded: no client is affected yet, the mirror decides: calls to the backend fail and are paused (circuit breaker open)\n',
    );
    const json = await get('/readyz', { headers: { accept: 'application/json' } });
    assert.deepEqual(await json.json(), {
      ready: true,
      degraded: [
        'no client is affected yet, the mirror decides: calls to the backend fail and are paused (circuit breaker open)',
      ],
      breaker: 'open',
      updates: 'live',
      mirror: 'live',
    });
  });

  it('is not ready without a listener, nor while it stops, and lives on', async (t) => {
    const { get, server } = await start(t, { state: async () => sampleState({ listening: [] }) });
    assert.equal((await get('/readyz')).status, 503);
    server.stopping();
    const response = await get('/readyz');
    assert.deepEqual([response.status, await response.text()], [503, 'stopping\n']);
    assert.equal((await get('/livez')).status, 200);
    assert.equal((await get('/metrics')).status, 200);
  });

  it('says in one line that the state cannot be had, and no more', async (t) => {
    const { get } = await start(t, { state: () => Promise.reject(new Error('secret')) });
    const response = await get('/');
    assert.deepEqual([response.status, await response.text()], [500, 'cannot read the state of the agent\n']);
    assert.equal((await get('/livez')).status, 200);
  });

  it('refuses a header that is too large', async (t) => {
    const { get } = await start(t);
    assert.equal((await get('/livez', { headers: { 'x-large': 'x'.repeat(9000) } })).status, 431);
  });

  it('answers to no stranger beside a host of its own', async (t) => {
    const { url } = await start(t);
    for (const [hosts, status] of [
      [['localhost', 'evil.example'], 421],
      [['evil.example', 'localhost'], 421],
      [['localhost', '127.0.0.1'], 200],
    ] as const) {
      const lines = hosts.map((host) => `host: ${host}\r\n`).join('');
      const answer = await raw(url, `GET /livez HTTP/1.1\r\n${lines}connection: close\r\n\r\n`);
      assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), `${hosts}: ${answer}`);
    }
  });

  it('answers HTTP/1.0 without a host', async (t) => {
    const { url } = await start(t);
    assert.match(await raw(url, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  });

  it('names the address that it cannot have', async (t) => {
    const { url } = await start(t);
    const taken: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: Number(new URL(url).port) };
    const second = new AdminServer(taken, { state: async () => sampleState(), hits, clock: new HandClock() });
    await assert.rejects(second.open(), /^Error: cannot listen on tcp:\/\/127\.0\.0\.1:\d+ for admin: .*EADDRINUSE/);
  });

  it('listens on a unix socket with the mode that is asked for', async (t) => {
    const path = join(temporaryFolder(t), 'admin.sock');
    const { server } = await start(t, { target: { type: 'unix', path, mode: 0o600 } });
    assert.equal(server.address, `unix:${path}`);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const status = await new Promise((resolve, reject) => {
      const asking = request({ socketPath: path, path: '/readyz', headers: { host: 'localhost:9101' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asking.on('error', reject).end();
    });
    assert.equal(status, 200);
  });
});

function statusOf(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asking.on('error', reject).end();
  });
}

function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => (received += chunk));
    socket.on('end', () => resolve(received)).on('error', reject);
  });
}
