import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { OPT_IN } from '../../contract/actions.ts';
import { MAX_VARS_BYTES, VAR_BYTES, type Vars } from '../../contract/entry-vars.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import type { Visit } from '../../dev/visit.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import type { Seen } from '../support/origin.ts';
import { type Server, startTableSite, TARPIT_MS, type TableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const CONFIGURED = [400, 401, 404, 405, 408, 410, 413, 451, 500, 502];
const PAGE = '<h1>slow down</h1>\n';
const NOTICE = 'Unavailable by order 7 of 2026, "Müller" & sons: 100% of it';
const LONGEST_BODY = 'x'.repeat(MAX_VARS_BYTES - VAR_BYTES - 'body'.length);

/** What an entry says, what the client asks, and what it gets. */
interface Case {
  readonly name: string;
  readonly entry: { readonly action?: string; readonly status?: number; readonly vars?: Vars; readonly list?: string };
  readonly asks?: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> };
  readonly status?: number;
  /** Headers of the response; undefined where there must be none. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly server?: Server;
  /** The request line's target and the headers as the server saw them. */
  readonly target?: string;
  readonly sees?: Readonly<Record<string, string | undefined>>;
}

const CASES: readonly Case[] = [
  { name: 'allow', entry: { action: 'allow' }, server: 'usual' },
  { name: 'deny', entry: {}, status: 403 },
  { name: 'deny with a status that is not configured', entry: { status: 504 }, status: 403 },
  ...[...CONFIGURED, 403, 503].map((status) => ({
    name: `deny with ${status}`,
    ...{ entry: { status }, status },
  })),
  {
    name: 'deny with a page from a file',
    ...{ entry: { status: 429 }, status: 429, body: PAGE },
    headers: { 'content-type': 'text/html; charset=utf-8' },
  },
  {
    name: 'deny with a legal notice from the table',
    ...{ entry: { status: 451, vars: { body: NOTICE } }, status: 451, body: NOTICE },
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  },
  {
    name: 'deny with a maintenance page from the table',
    ...{ entry: { status: 503, vars: { body: 'back at 6' } }, status: 503, body: 'back at 6' },
  },
  {
    name: 'deny with the longest body there can be',
    ...{ entry: { status: 410, vars: { body: LONGEST_BODY } }, status: 410, body: LONGEST_BODY },
  },
  { name: 'deny with a body and no status', entry: { vars: { body: 'no' } }, status: 403, body: 'no' },
  {
    name: 'deny with a body where a file is as well',
    ...{ entry: { status: 429, vars: { body: 'from the table' } }, status: 429, body: 'from the table' },
  },
  {
    name: 'redirect',
    ...{ entry: { action: 'redirect', vars: { location: 'https://other.example/a?b=%20c' } }, status: 302 },
    headers: { location: 'https://other.example/a?b=%20c' },
  },
  ...[301, 302, 303, 307, 308].map((status) => ({
    name: `redirect with ${status}`,
    ...{ entry: { action: 'redirect', status, vars: { location: '/elsewhere' } }, status },
    headers: { location: '/elsewhere' },
  })),
  { name: 'route', entry: { action: 'route', vars: { backend: 'blue' } }, server: 'blue' },
  { name: 'route to a backend nobody declared', entry: { action: 'route', vars: { backend: 'red' } }, server: 'usual' },
  {
    name: 'route all of a split',
    ...{ entry: { action: 'route', vars: { split: 'green=100' } }, server: 'green' },
  },
  {
    name: 'route with changes',
    ...{ entry: { action: 'route', vars: { backend: 'green', path: '/v2', 'req.set.x-plan': 'gold' } } },
    ...{ server: 'green', target: '/v2?q=1', sees: { 'x-plan': 'gold' } },
  },
  {
    name: 'tag: set a header over that of the client',
    ...{ entry: { action: 'tag', vars: { 'req.set.x-plan': 'gold "1" 50% %[src]' } } },
    ...{ asks: { headers: { 'x-plan': 'forged' } }, sees: { 'x-plan': 'gold "1" 50% %[src]' } },
  },
  {
    name: 'tag: add a header beside that of the client',
    ...{ entry: { action: 'tag', vars: { 'req.add.x-tags': 'b' } } },
    ...{ asks: { headers: { 'x-tags': 'a' } }, sees: { 'x-tags': 'a, b' } },
  },
  {
    name: 'tag: remove a header of the client',
    ...{ entry: { action: 'tag', vars: { 'req.del.x-tags': '' } } },
    ...{ asks: { headers: { 'x-tags': 'a' } }, sees: { 'x-tags': undefined } },
  },
  {
    name: 'tag: a header that is not declared',
    ...{ entry: { action: 'tag', vars: { 'req.set.x-other': 'a' } }, sees: { 'x-other': undefined } },
  },
  { name: 'tag: a backend', entry: { action: 'tag', vars: { backend: 'blue' } }, server: 'usual' },
  { name: 'tag: path', entry: { action: 'tag', vars: { path: '/new/%7Eme' } }, target: '/new/%7Eme?q=1' },
  { name: 'tag: query', entry: { action: 'tag', vars: { query: 'a=b&c=%20d' } }, target: '/some/path?a=b&c=%20d' },
  { name: 'tag: an empty query', entry: { action: 'tag', vars: { query: '' } }, target: '/some/path' },
  {
    name: 'tag: path and query',
    ...{ entry: { action: 'tag', vars: { path: '/p', query: 'z' } }, target: '/p?z' },
  },
  {
    name: 'tag: set, add and remove headers of the response',
    entry: { action: 'tag', vars: { 'res.set.x-notice': 'new', 'res.add.x-notice': 'two', 'res.del.x-origin': '' } },
    headers: { 'x-notice': 'new, two', 'x-origin': undefined },
  },
  {
    name: 'allow with changes',
    ...{ entry: { action: 'allow', vars: { 'req.set.x-plan': 'ours' } }, sees: { 'x-plan': 'ours' } },
  },
  {
    name: 'log applies nothing',
    entry: { action: 'log', vars: { 'req.set.x-plan': 'gold', path: '/never', 'res.set.x-notice': 'never' } },
    ...{ server: 'usual', target: '/some/path?q=1', sees: { 'x-plan': undefined } },
    headers: { 'x-notice': undefined, 'x-action': 'log' },
  },
  ...(['deny', 'tarpit', 'drop', 'tag', 'allow'] as const).map((action) => ({
    name: `${action} of a list in shadow mode`,
    entry: { list: 'shadowed', action, vars: { 'req.set.x-plan': 'never', body: 'never' } },
    ...{ server: 'usual' as const, sees: { 'x-plan': undefined } },
    headers: { 'x-action': 'log', 'x-shadow': action, 'x-list': 'shadowed' },
  })),
];

describeOnEveryHaproxy('what an entry makes HAProxy do with a request', (build) => {
  let place: TableSite;
  before(async () => {
    place = await startPlace(build);
  });
  after(() => place?.stop());

  for (const [index, row] of CASES.entries())
    it(row.name, async () => {
      const key = `case-${index}`;
      place.table.type({ subject: `header.x-key:${key}`, ...row.entry });
      const { path = '/some/path?q=1', headers = {} } = row.asks ?? {};
      const visit = await place.site.visit('127.0.0.1', { path, headers: { ...headers, 'x-key': key } });
      expect(visit, row, place);
    });

  it('tarpit: the client waits, then gets the status', async () => {
    place.table.type({ subject: 'header.x-key:tarpit', action: 'tarpit', status: 429 });
    const visit = await place.site.visit('127.0.0.1', { headers: { 'x-key': 'tarpit' } });
    assert.equal(visit.status, 429, explained(visit, place));
    assert.ok(visit.tookMs >= TARPIT_MS - 20, `only ${visit.tookMs} ms`);
  });

  it('drop: the client hears nothing', async () => {
    place.table.type({ subject: 'ip:127.3.0.1', action: 'drop' });
    const { end, received } = await knock({ port: place.site.port, from: '127.3.0.1' });
    assert.deepEqual([end, received], [SILENCE, '']);
  });

  it('split: each client always the same way, all of them by weight', async () => {
    place.table.type({ subject: 'ip:127.4.0.0/16', action: 'route', vars: { split: 'blue=70,green=20' } });
    const clients = Array.from({ length: 200 }, (_, index) => `127.4.${index % 7}.${1 + index}`);
    const first = await serversOf(place, clients);
    assert.deepEqual(await serversOf(place, clients), first, 'the second time');
    const counted = Object.groupBy(first, (server) => server);
    // Of 200 clients, within four standard deviations.
    assertNear(counted.blue?.length, 140, 26);
    assertNear(counted.green?.length, 40, 23);
    assertNear(counted.usual?.length, 20, 17);
  });

  it('tells an unknown backend in the log, once', async () => {
    place.table.type({ subject: 'header.x-key:red', action: 'route', vars: { backend: 'purple' } });
    const lines = () => place.site.agent.lines.filter((line) => line.includes('"backend purple"'));
    for (const _ of [1, 2, 3]) {
      await place.site.visit('127.0.0.1', { headers: { 'x-key': 'red' } });
      await until(
        () => lines().length > 0,
        () => place.site.agent.lines.join('\n'),
      );
    }
    assert.equal(lines().length, 1, lines().join('\n'));
  });
});

/** Without the right to repair sockets HAProxy can only reset them; beyond the host nobody would hear that. */
const SILENCE = process.getuid?.() === 0 ? 'silent' : 'reset';

function expect(visit: Visit, row: Case, place: TableSite): void {
  const { status = 200, headers = {}, body, server, target, sees = {} } = row;
  assert.equal(visit.status, status, explained(visit, place));
  for (const [name, value] of Object.entries(headers)) assert.equal(visit.headers[name], value, name);
  if (body !== undefined) assert.equal(visit.body, body);
  if (status !== 200) return;
  const seen = JSON.parse(visit.body) as Seen;
  assert.equal(seen.server, server ?? 'usual');
  assert.equal(seen.target, target ?? '/some/path?q=1');
  for (const [name, value] of Object.entries(sees)) assert.equal(seen.headers[name], value, name);
}

function explained({ status, headers, body }: Visit, { site }: TableSite): string {
  const last = [site.agent.lines, site.haproxy.lines].flatMap((lines) => lines.slice(-4));
  return [status, JSON.stringify(headers), body, ...last].join('\n');
}

async function serversOf({ site }: TableSite, clients: readonly string[]): Promise<string[]> {
  const visits = await Promise.all(clients.map((client) => site.visit(client)));
  return visits.map(({ body }) => (JSON.parse(body) as Seen).server);
}

function assertNear(count = 0, expected: number, margin: number): void {
  assert.ok(Math.abs(count - expected) <= margin, `${count} instead of about ${expected}`);
}

async function startPlace(haproxy: HaproxyBuild): Promise<TableSite> {
  const folder = mkdtempSync(join(tmpdir(), 'haverdict-pages-'));
  const file = join(folder, '429.html');
  writeFileSync(file, PAGE);
  const config = {
    ...{ deadlineMs: 2000, backend: { timeoutMs: 2000 } },
    ...{ lists: ['manual', 'shadowed'], shadowLists: ['shadowed'] },
    messages: { 'check-request': { subjects: { 'header.x-key': 'req.hdr(x-key)', ip: 'src' } } },
    haproxy: {
      version: haproxy.version,
      actions: OPT_IN,
      backends: ['blue', 'green'],
      requestHeaders: ['X-Plan', 'x-tags'],
      responseHeaders: ['x-notice', 'x-origin'],
      denyStatuses: [...CONFIGURED, 503],
      denyPages: { 429: { file } },
    },
  };
  const lines = TOLD.map((name) => `http-response set-header X-${name} %[${told(name)}] if { ${told(name)} -m found }`);
  return await startTableSite({ haproxy, config, lines }).finally(() => rmSync(folder, { recursive: true }));
}

function told(name: string): string {
  return `var(txn.haverdict.${name})`;
}

const TOLD = ['action', 'shadow', 'list'];
