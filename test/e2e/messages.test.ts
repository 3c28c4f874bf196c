import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { OPT_IN } from '../../contract/actions.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';

const STOPPING = {
  deny: { status: 451, vars: { body: 'no' } },
  tarpit: {},
  drop: {},
  redirect: { vars: { location: '/elsewhere' } },
  route: { vars: { backend: 'blue' } },
  tag: { vars: { 'req.set.x-plan': 'gold' } },
} as const;

const SEVERAL = {
  'check-request': { subjects: { 'header.x-key': 'req.hdr(x-key)' }, shadow: true },
  'check-login': {
    group: 'login',
    paths: ['/login'],
    subjects: { 'cookie.user': 'req.cook(user)' },
  },
  'check-connection': { event: 'on-frontend-tcp-request', subjects: { ip: 'src' } },
};

const TOLD = [
  ...['action', 'shadow', 'reason'].map((name) => tell(`x-${name}`, `var(txn.haverdict.${name})`)),
  tell('x-login', 'var(txn.haverdict.login.action)'),
  tell('x-connection-reason', 'var(sess.haverdict.reason)'),
  tell('x-connection-action', 'var(sess.haverdict.action)'),
];

function tell(header: string, variable: string): string {
  return `http-response set-header ${header} %[${variable}] if { ${variable} -m found }`;
}

const EVERYTHING = {
  subjects: {
    'header.user': 'req.body_param(user)',
    'cookie.session': 'req.cook(session)',
    'header.token': 'url_param(token)',
    'header.x-api-key': 'req.hdr(x-api-key)',
    host: 'req.hdr(host),field(1,:),lower',
    path: 'path',
    method: 'method',
    ua: 'req.fhdr(user-agent)',
    ip: 'src',
  },
};

const SUBJECTS = [
  ...[
    'header.user:mallory',
    'cookie.session:stolen',
    'header.token:leaked',
    'header.x-api-key:k 1',
    'host:evil.example',
  ],
  ...['path:/wp-login.php', 'method:DELETE', 'ua:bot/1.0 (+https://bot.example)'],
];

const POST = 'POST / HTTP/1.1\r\nhost: good.example\r\n';
/** More than a buffer holds. */
const FILLER = 'x'.repeat(60_000);
const END = '\r\nconnection: close\r\n\r\n';

const REQUESTS = {
  'a parameter of the body': `${POST}${form('a=1&user=mallory&b=2')}`,
  'a parameter at the start of a large body': `${POST}${form(`user=mallory&filler=${FILLER}`)}`,
  'a cookie': `GET / HTTP/1.1\r\nhost: good.example\r\ncookie: a=b; session=stolen${END}`,
  'a parameter of the query': `GET /?a=b&token=leaked HTTP/1.1\r\nhost: good.example${END}`,
  'a header': `GET / HTTP/1.1\r\nhost: good.example\r\nX-API-Key: k 1${END}`,
  'a host': `GET / HTTP/1.1\r\nhost: EVIL.example:8080${END}`,
  'a path': `GET /wp-login.php?a HTTP/1.1\r\nhost: good.example${END}`,
  'a method': `DELETE / HTTP/1.1\r\nhost: good.example${END}`,
  'a user agent': `GET / HTTP/1.1\r\nhost: good.example\r\nuser-agent: bot/1.0 (+https://bot.example)${END}`,
};

function form(body: string): string {
  return `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}${END}${body}`;
}

describeOnEveryHaproxy('several messages of one site', (build) => {
  let place: TableSite;
  before(async () => {
    place = await startTableSite({ haproxy: build, config: configWith(build, SEVERAL), lines: TOLD });
  });
  after(() => place?.stop());

  describe('one in shadow mode', () => {
    for (const [action, vars] of Object.entries(STOPPING))
      it(`says ${action} and does not do it`, async () => {
        place.table.type({ subject: `header.x-key:${action}`, action, ...vars, reason: 'abuse' });
        const { status, headers, body } = await place.site.visit('127.0.0.1', { headers: { 'x-key': action } });
        assert.equal(status, 200);
        assert.equal(JSON.parse(body).server, 'usual');
        assert.equal(JSON.parse(body).headers['x-plan'], undefined);
        const { 'x-action': said, 'x-shadow': shadow, 'x-reason': reason } = headers;
        assert.deepEqual([said, shadow, reason], ['log', action, 'abuse']);
      });
  });

  describe('a group that a rule sends under a condition', () => {
    const headers = { cookie: 'user=mallory' };
    before(() => place.table.type({ subject: 'cookie.user:mallory', status: 429, reason: 'too many' }));

    it('is obeyed where it is sent', async () => {
      const { status } = await place.site.visit('127.0.0.1', { path: '/login', headers });
      assert.equal(status, 429);
    });

    it('changes nothing elsewhere', async () => {
      const { status, headers: told } = await place.site.visit('127.0.0.1', { path: '/shop', headers });
      assert.deepEqual([status, told['x-login']], [200, undefined]);
    });

    it('says of others that it let them pass, beside what other messages say', async () => {
      const alice = { cookie: 'user=alice', 'x-key': 'alice' };
      place.table.type({ subject: 'header.x-key:alice', action: 'log' });
      const { status, headers: told } = await place.site.visit('127.0.0.1', { path: '/login', headers: alice });
      assert.deepEqual([status, told['x-login'], told['x-action']], [200, 'allow', 'log']);
    });
  });

  it('each of a connection is decided anew for every request on it', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: '127.6.0.1' });
    const list = (entry: object) => place.table.type({ subject: 'ip:127.6.0.1', ...entry });
    try {
      list({
        action: 'tag',
        reason: 'first',
        vars: { 'req.set.x-plan': 'gold', path: '/first', 'res.set.x-notice': 'first' },
      });
      const first = await ask(place, agent);
      assert.deepEqual([first.target, first.plan, first.notice, first.reason], ['/first', 'gold', 'first', 'first']);
      list({ action: 'allow' });
      const second = await ask(place, agent);
      assert.deepEqual(second, { ...second, target: '/', plan: undefined, notice: undefined, reason: undefined });
      assert.equal(second.localPort, first.localPort, 'the connection was not the same');
    } finally {
      agent.destroy();
    }
  });
});

describeOnEveryHaproxy('what messages are about', (build) => {
  let place: TableSite;
  before(async () => {
    place = await startTableSite({ haproxy: build, config: configWith(build, { everything: EVERYTHING }) });
    for (const subject of SUBJECTS) place.table.type({ subject, status: 429 });
  });
  after(() => place?.stop());

  for (const [name, send] of Object.entries(REQUESTS))
    it(`${name} is denied`, async () => assert.match(await sent(place, send), /^HTTP\/1.1 429 /));

  it('what is not listed of any of them passes', async () => {
    const send = `POST /a?token=fine HTTP/1.1\r\nhost: good.example\r\ncookie: session=fine\r\n${form('user=alice')}`;
    assert.match(await sent(place, send), /^HTTP\/1.1 200 /);
  });

  it('what stands in a body behind what fits into a buffer is not seen', async () => {
    const send = `${POST}${form(`filler=${FILLER}&user=mallory`)}`;
    assert.match(await sent(place, send), /^HTTP\/1.1 200 /);
  });
});

describeOnEveryHaproxy('connections in mode tcp', (build) => {
  it('go to the backend that the entry says', async (t) => {
    const messages = { connection: { event: 'on-client-session', subjects: { ip: 'src' } } };
    const place = await startTableSite({ haproxy: build, config: configWith(build, messages), mode: 'tcp' });
    t.after(() => place.stop());
    const serverFor = async (from: string) => {
      const { received } = await knock({ port: place.site.port, from, limitMs: 5000 });
      return /"server":"(\w+)"/.exec(received)?.[1];
    };
    place.table.type({ subject: 'ip:127.7.0.1', action: 'route', vars: { backend: 'blue' } });
    place.table.type({ subject: 'ip:127.7.0.2', action: 'route', vars: { backend: 'red' } });
    place.table.type({ subject: 'ip:127.7.1.0/24', action: 'route', vars: { split: 'blue=50,green=50' } });
    assert.equal(await serverFor('127.7.0.1'), 'blue');
    assert.equal(await serverFor('127.7.0.2'), 'usual', 'red is no backend');
    assert.equal(await serverFor('127.7.0.3'), 'usual', 'not listed');
    const clients = Array.from({ length: 40 }, (_, index) => `127.7.1.${index + 1}`);
    const servers = await Promise.all(clients.map(serverFor));
    assert.deepEqual([...new Set(servers)].sort(), ['blue', 'green']);
    assert.deepEqual(await Promise.all(clients.map(serverFor)), servers, 'the second time');
  });
});

async function sent({ site }: TableSite, send: string): Promise<string> {
  const { received } = await knock({ port: site.port, from: '127.0.0.1', send, limitMs: 5000 });
  return received;
}

/** One request on a connection that stays. */
async function ask({ site }: TableSite, agent: Agent) {
  const asked = request({ host: '127.0.0.1', port: site.port, agent }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage]; // that is what the event brings
  const { localPort } = response.socket; // the agent takes it back with the end of the response
  const { target, headers } = JSON.parse(await text(response));
  return {
    localPort,
    ...{ target, plan: headers['x-plan'], notice: response.headers['x-notice'] },
    ...{ action: response.headers['x-connection-action'], reason: response.headers['x-connection-reason'] },
  };
}

function configWith({ version }: HaproxyBuild, messages: object) {
  return {
    ...{ deadlineMs: 2000, backend: { timeoutMs: 2000 }, messages },
    cache: { allowTtlSeconds: 0, denyTtlSeconds: 0 },
    haproxy: {
      version,
      actions: OPT_IN,
      denyStatuses: [429, 451],
      backends: ['blue', 'green'],
      requestHeaders: ['x-plan'],
      responseHeaders: ['x-notice'],
    },
  };
}
