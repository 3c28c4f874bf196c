import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { formatSubject, KINDS, parseSubject } from '../../contract/subject.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { startTable, storeAt, type TableServer } from '../support/local-table.ts';
import { type StoreFunction, startStoreFunction } from '../support/table-function.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';

/** What a client sends, where it is not the usual. */
interface Request {
  readonly from?: string;
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An entry as somebody types it, what it stops, and what it does not although it is near. */
interface Case {
  readonly entry: string;
  readonly stops: readonly Request[];
  readonly passes: readonly Request[];
}

const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';
const SECRET = 'hunter2-of-a-customer';
const DIGEST = `sha256:${createHash('sha256').update(SECRET).digest('hex')}`;

const CASES: readonly Case[] = [
  { entry: '127.8.0.7', stops: [{ from: '127.8.0.7' }], passes: [{ from: '127.8.0.8' }] },
  { entry: '127.8.1.0/24', stops: [{ from: '127.8.1.9' }], passes: [{ from: '127.8.2.1' }] },
  {
    entry: 'host:Evil.example',
    stops: [{ host: 'evil.example' }, { host: 'EVIL.example.:8080' }, { host: 'evil.example:' }],
    passes: [{ host: 'www.evil.example' }, { host: 'evil.example.org' }],
  },
  {
    entry: 'host:*.tenant.example',
    stops: [...[{ host: 'a.tenant.example' }, { host: 'c.b.a.Tenant.example:80' }, { host: 'a.tenant.example.:' }]],
    passes: [{ host: 'tenant.example' }, { host: 'atenant.example' }],
  },
  {
    entry: 'path:/wp-login.php',
    stops: ['/wp-login.php', '/wp-login.php?a=b', '/wp-login.php?/../'].map(to),
    passes: ['/wp-login.php/', '/WP-login.php', '/?/wp-login.php'].map(to),
  },
  {
    entry: 'path:/admin/*',
    stops: [
      ...['/admin/', '/admin/users/7', '/admin//', '/admin//x', '/admin/%7Ex', '/admin/*', '/admin/%2a'],
      `/admin/${'x'.repeat(4000)}`,
    ].map(to),
    passes: ['/admin', '/administrator', '/x/admin/', '/x?/admin/'].map(to),
  },
  { entry: 'method:delete', stops: [{ method: 'DELETE' }], passes: [{ method: 'OPTIONS' }] },
  { entry: 'country:zz', stops: [{ headers: { 'x-country': 'ZZ' } }], passes: [{ headers: { 'x-country': 'ZY' } }] },
  {
    entry: 'asn:AS64500',
    stops: [{ headers: { 'x-asn': '64500' } }, { headers: { 'x-asn': 'AS64500' } }],
    passes: [{ headers: { 'x-asn': '6450' } }],
  },
  {
    entry: 'ua:bot/1.0 (+https://bot.example), evil',
    stops: [{ headers: { 'user-agent': 'bot/1.0 (+https://bot.example), evil' } }],
    passes: [{ headers: { 'user-agent': 'bot/1.0 (+https://bot.example)' } }],
  },
  {
    entry: 'ua:*ExampleBot*',
    stops: [
      'Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example)',
      'EXAMPLEBOT',
      '*ExampleBot*',
      'a b c ExampleBot',
    ].map(agent),
    passes: ['MyExampleBot/1.0', 'ExampleBots', 'Example Bot', '*Example-Bot*'].map(agent),
  },
  {
    entry: 'header.x-plan:*free trial*',
    stops: [{ headers: { 'x-plan': 'Free, trial; 3' } }, { headers: { 'x-plan': 'the free trial' } }],
    passes: [{ headers: { 'x-plan': 'trial free' } }, { headers: { 'x-plan': 'free a trial' } }],
  },
  {
    entry: `ja4:${JA4}`,
    stops: [{ headers: { 'x-ja4': JA4 } }],
    passes: [{ headers: { 'x-ja4': JA4.replace('t', 'q') } }],
  },
  {
    entry: 'header.X-Plan:trial, old',
    stops: [{ headers: { 'X-PLAN': 'trial, old' } }],
    passes: [{ headers: { 'x-plan': 'Trial, old' } }, { headers: { 'x-plan': 'trial' } }],
  },
  {
    entry: 'cookie.session:stolen',
    stops: [{ headers: { cookie: 'a=b; session=stolen' } }],
    passes: [{ headers: { cookie: 'session=stolen2; other=stolen' } }],
  },
  {
    entry: 'cookie.ASP.NET_SessionId:stolen',
    stops: [{ headers: { cookie: 'ASP.NET_SessionId=stolen' } }],
    passes: [{ headers: { cookie: 'ASP.NET_SessionId=Stolen' } }],
  },
  {
    entry: `key:${SECRET}`,
    stops: [{ headers: { 'x-api-key': SECRET } }],
    passes: [{ headers: { 'x-api-key': `${SECRET}3` } }, { headers: { 'x-api-key': DIGEST } }],
  },
];

const SUBJECTS = {
  host: 'req.hdr(host)',
  path: 'path',
  method: 'method',
  country: 'req.hdr(x-country)',
  asn: 'req.hdr(x-asn)',
  ua: 'req.fhdr(user-agent)',
  ja4: 'req.hdr(x-ja4)',
  'header.x-plan': 'req.fhdr(x-plan)',
  'cookie.session': 'req.cook(session)',
  'cookie.asp.net_sessionid': 'req.cook(ASP.NET_SessionId)',
  key: 'req.fhdr(x-api-key)',
  ip: 'src',
};

describeOnEveryHaproxy('every kind', (build) => {
  let place: Place;
  before(async () => {
    place = await startPlace(build);
  });
  after(() => place?.stop());

  it('is among these', () => {
    const tried = new Set(CASES.map(({ entry }) => parseSubject(entry).kind));
    assert.deepEqual(
      [...tried].sort(),
      [...KINDS, 'header.x-plan', 'cookie.asp.net_sessionid', 'cookie.session'].sort(),
    );
  });

  for (const { entry, stops, passes } of CASES) {
    describe(`${entry.replace(SECRET, '…')}`, () => {
      it('stops what it names and lets pass what is near', async () => {
        for (const request of [...stops, ...passes]) assert.equal(await place.ask(request), 200, described(request));
        await place.list(entry, {});
        for (const request of stops) assert.equal(await place.ask(request), 403, described(request));
        for (const request of passes) assert.equal(await place.ask(request), 200, described(request));
      });

      it('is beaten by an allow of another list', async () => {
        await place.list(entry, { list: 'partners', action: 'allow' });
        for (const request of stops) assert.equal(await place.ask(request), 200, described(request));
      });
    });
  }

  it('that is narrower decides over one that is wider', async () => {
    await place.list('path:/shop/*', { status: 429 });
    await place.list('path:/shop/cart/*', { status: 451, list: 'partners' });
    await place.list('path:/shop/cart/', { status: 410, list: 'partners' });
    const statuses = ['/shop/', '/shop/cart', '/shop/cart/x/y', '/shop/cart/'].map((target) => place.ask({ target }));
    assert.deepEqual(await Promise.all(statuses), [429, 429, 451, 410]);
  });

  it('of a secret shows nothing of it beyond the agent', async () => {
    const told = () => [...place.function.bodies, ...place.function.lines.map((line) => JSON.stringify(line))];
    assert.ok(told().some((text) => text.includes(`key:${DIGEST}`)));
    for (const text of [...told(), ...place.site.site.agent.lines]) assert.ok(!text.includes(SECRET), text);
  });

  it('of a secret is named by its digest', async () => {
    const headers = { 'x-api-key': 'of-a-friend' };
    await place.list('key:of-a-friend', { action: 'tag' });
    const { received } = await place.send({ headers });
    assert.match(received, /\r\nx-entry: key:sha256:[0-9a-f]{64}\r\n/);
  });
});

interface Place {
  readonly site: TableSite;
  readonly function: StoreFunction;
  list(entry: string, outcome: Partial<StoredEntry>): Promise<void>;
  send(request: Request): ReturnType<typeof knock>;
  /** The status that the client gets. */
  ask(request: Request): Promise<number>;
  stop(): Promise<void>;
}

async function startPlace(haproxy: HaproxyBuild, lines: readonly string[] = [TOLD]): Promise<Place> {
  const table: TableServer = await startTable();
  const store = storeAt(table.endpoint);
  const answering = await startStoreFunction(store);
  const config = {
    ...{ deadlineMs: 2000, backend: { url: answering.url, timeoutMs: 2000 }, lists: ['manual', 'partners'] },
    messages: { 'check-request': { subjects: SUBJECTS } },
    cache: { allowTtlSeconds: 0, denyTtlSeconds: 0 },
    haproxy: { version: haproxy.version, denyStatuses: [429, 451, 410] },
    log: { level: 'debug' },
  };
  const close = () => Promise.all([table.close(), answering.close()]);
  const site = await startTableSite({ haproxy, config, lines }).catch(async (error) => {
    await close();
    throw error;
  });
  const send = (request: Request) =>
    knock({ port: site.site.port, from: request.from ?? '127.0.0.1', send: written(request), limitMs: 5000 });
  return {
    site,
    function: answering,
    send,
    async list(entry, outcome) {
      await store.put({ subject: formatSubject(parseSubject(entry)), list: 'manual', action: 'deny', ...outcome });
    },
    async ask(request) {
      const { received } = await send(request);
      return Number(/^HTTP\/1.1 (\d+)/.exec(received)?.[1]);
    },
    async stop() {
      await site.stop();
      await close();
    },
  };
}

const TOLD = 'http-response set-header x-entry %[var(txn.haverdict.entry)] if { var(txn.haverdict.entry) -m found }';

function written({ method = 'GET', target = '/', host = 'good.example', headers = {} }: Request): string {
  const lines = Object.entries({ host, ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function to(target: string): Request {
  return { target };
}

function agent(sent: string): Request {
  return { headers: { 'user-agent': sent } };
}

function described(request: Request): string {
  return JSON.stringify(request).slice(0, 200);
}
