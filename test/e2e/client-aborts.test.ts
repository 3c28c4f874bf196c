import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { CANCEL_FIRST, firstRequest, get } from '../support/http2-frames.ts';
import { knock } from '../support/knock.ts';
import { longRuns } from '../support/scope.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const LISTED = '127.55.0.1';
const REQUESTS = longRuns(1000);
const AT_A_TIME = 8;
/** HAProxy ends what is left of them after its `timeout client`, of 10 s. */
const SETTLED_MS = 30_000;

/** What a client does right behind its request. */
const ABORTS: Readonly<Record<string, (socket: Socket) => void>> = {
  FIN: (socket) => socket.end('GET /aborted HTTP/1.1\r\nHost: site.example\r\n\r\n'),
  RST: (socket) => {
    socket.write('GET /aborted HTTP/1.1\r\nHost: site.example\r\n\r\n', () => socket.resetAndDestroy());
  },
  'a cancelled stream of HTTP/2': (socket) => {
    socket.write(Buffer.concat([firstRequest(get('/aborted')), CANCEL_FIRST]));
    socket.once('data', () => socket.end());
  },
  'FIN of HTTP/2': (socket) => socket.end(firstRequest(get('/aborted'))),
};

/** What is asked when, so that HAProxy has a reason to wait. */
const MESSAGES: Readonly<Record<string, object>> = {
  'on-frontend-http-request': { subjects: { ip: 'src' } },
  'on-client-session': { event: 'on-client-session', subjects: { ip: 'src' } },
  'on-backend-http-request': { event: 'on-backend-http-request', subjects: { ip: 'src' } },
  'a group': { group: 'checked', condition: 'TRUE', subjects: { ip: 'src' } },
};

describeOnEveryHaproxy('a listed client that hangs up behind its request', (build) => {
  for (const policy of ['open', 'closed'])
    for (const abort of [false, true])
      describe(`policy ${policy}${abort ? ', option abortonclose' : ''}`, () =>
        holds(build, policy, abort, 'on-frontend-http-request', ABORTS));
  for (const place of Object.keys(MESSAGES).slice(1))
    describe(`asked at ${place}, option abortonclose`, () => holds(build, 'open', true, place, ABORTS));
});

function holds(build: HaproxyBuild, policy: string, abort: boolean, place: string, aborts: typeof ABORTS): void {
  let site: TableSite;
  before(async () => {
    site = await startSite(build, policy, abort, place);
  });
  after(() => site?.stop());

  for (const [name, act] of Object.entries(aborts))
    it(`does not reach the server with ${name}`, async () => {
      const before = site.origins.usual.requests;
      let begun = 0;
      const client = async () => {
        while (begun++ < REQUESTS) await aborted(site.site.port, act);
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, client));
      await until(
        async () => (await open(site)) === 1,
        () => 'connections that nobody holds stay open',
        SETTLED_MS,
      );
      assert.equal(site.origins.usual.requests - before, 0);
    });
}

async function startSite(haproxy: HaproxyBuild, policy: string, abort: boolean, place: string): Promise<TableSite> {
  const site = await startTableSite({
    haproxy,
    // no deadline shall pass, however busy this machine is
    config: { policy, deadlineMs: 5000, cache: { denyTtlSeconds: 3600 }, messages: { check: MESSAGES[place] } },
    defaults: abort ? ['option abortonclose'] : [],
    lines: ['http-request return status 200 content-type text/plain lf-string "open %[fe_conn]" if { path /open }'],
  });
  site.table.type({ subject: `ip:${LISTED}`, action: 'deny' });
  // known from here on, so that nothing but HAProxy's own turn lies between question and answer
  await until(
    async () => / 403 /.test((await knock({ port: site.site.port, from: LISTED, limitMs: 5000 })).received),
    () => 'the listed client is not denied',
  );
  return site;
}

function aborted(port: number, act: (socket: Socket) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: LISTED });
    socket.on('connect', () => act(socket));
    socket.on('error', () => undefined); // what it did itself
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** How many connections HAProxy has, with that which asks. */
async function open({ site }: TableSite): Promise<number> {
  const send = 'GET /open HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n';
  const { received } = await knock({ port: site.port, from: '127.0.0.1', send, limitMs: 5000 });
  return Number(/open (\d+)/.exec(received)?.[1]);
}
