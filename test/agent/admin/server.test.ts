import assert from 'node:assert/strict';
import { mkdtempSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AdminServer } from '../../../agent/admin/server.ts';
import type { ListenAddress } from '../../../agent/config/listen-address.ts';
import type { AgentState } from '../../../agent/state/state.ts';
import { HandClock } from '../../support/clock.ts';
import { sampleState } from './sample-state.ts';

const LOOPBACK: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: 0 };
const { backend } = sampleState();

interface Given {
  readonly target?: ListenAddress;
  readonly state?: () => Promise<AgentState>;
}

async function start(t: TestContext, { target = LOOPBACK, state = async () => sampleState() }: Given = {}) {
  const clock = new HandClock();
  const server = new AdminServer(target, { state, clock });
  await server.open();
  t.after(() => server.close());
  const url = server.address.replace('tcp:', 'http:');
  const get = (path: string, init?: RequestInit) => fetch(url + path, init);
  return { server, clock, url, get };
}

describe('the admin server', () => {
  it('serves what there is, for no cache, no frame and no other origin', async (t) => {
    const { get } = await start(t);
    for (const path of ['/', '/metrics', '/state.json', '/livez', '/readyz?verbose']) {
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

  it('does not answer on loopback to a name that a stranger pointed there', async (t) => {
    const { url } = await start(t);
    const ask = (host: string) => statusOf(url, host);
    assert.equal(await ask('evil.example:9101'), 421);
    assert.equal(await ask('127.0.0.1.evil.example'), 421);
    assert.equal(await ask('[2001:db8::1]:9101'), 421);
    for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1:9101', '[::1]:9101'])
      assert.equal(await ask(host), 200, host);
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
    assert.equal(await response.text(), 'degraded: the backend fails and is not asked for now\n');
    const json = await get('/readyz', { headers: { accept: 'application/json' } });
    assert.deepEqual(await json.json(), {
      ready: true,
      degraded: ['the backend fails and is not asked for now'],
      breaker: 'open',
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
    assert.deepEqual([response.status, await response.text()], [500, 'the state of the agent cannot be read\n']);
    assert.equal((await get('/livez')).status, 200);
  });

  it('refuses a header that is too large', async (t) => {
    const { get } = await start(t);
    assert.equal((await get('/livez', { headers: { 'x-large': 'x'.repeat(9000) } })).status, 431);
  });

  it('answers HTTP/1.0 without a host', async (t) => {
    const { url } = await start(t);
    assert.match(await raw(url, 'GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  });

  it('names the address that it cannot have', async (t) => {
    const { url } = await start(t);
    const taken: ListenAddress = { type: 'tcp', host: '127.0.0.1', port: Number(new URL(url).port) };
    const second = new AdminServer(taken, { state: async () => sampleState(), clock: new HandClock() });
    await assert.rejects(second.open(), /^Error: cannot listen on tcp:\/\/127\.0\.0\.1:\d+ for admin: .*EADDRINUSE/);
  });

  it('listens on a unix socket with the mode that is asked for', async (t) => {
    const path = join(mkdtempSync(join(tmpdir(), 'haverdict-admin-')), 'admin.sock');
    const { server } = await start(t, { target: { type: 'unix', path, mode: 0o600 } });
    assert.equal(server.address, `unix:${path}`);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const status = await new Promise((resolve, reject) => {
      const asking = request({ socketPath: path, path: '/readyz', headers: { host: 'whatever' } }, (response) => {
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
