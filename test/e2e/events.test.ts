import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPT_IN } from '../../contract/actions.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { type Knock, knock } from '../support/knock.ts';
import { startTableSite, TARPIT_MS, type TableSite } from '../support/table-site.ts';

/** What a client saw, in one word each: how it ended, with which status, from which server. */
interface Outcome {
  readonly end: Knock['end'] | readonly Knock['end'][];
  readonly status?: number;
  readonly server?: string;
  readonly says?: readonly string[];
  readonly saysNot?: string;
}

interface Row {
  readonly name: string;
  readonly entry: object;
  readonly outcome: Outcome;
  readonly atLeastMs?: number;
}

const STOPPED: Outcome = { end: 'closed' };
const PASSED: Outcome = { end: 'closed', status: 200, server: 'usual' };
/** Without the right to repair sockets HAProxy can only reset them; beyond the host nobody would hear that. */
const DROPPED: Outcome = { end: process.getuid?.() === 0 ? 'silent' : 'reset' };

/** Connections are passed or ended; nothing else can be done to them. */
const CONNECTION: readonly Row[] = [
  { name: 'allow', entry: { action: 'allow' }, outcome: PASSED },
  { name: 'deny', entry: { status: 429, vars: { body: 'no' } }, outcome: STOPPED },
  { name: 'tarpit', entry: { action: 'tarpit' }, outcome: STOPPED },
  { name: 'redirect', entry: { action: 'redirect', vars: { location: '/' } }, outcome: STOPPED },
  // What the client sends later is answered by the kernel, with a reset.
  { name: 'drop', entry: { action: 'drop' }, outcome: { end: ['silent', 'reset'] } },
  { name: 'tag', entry: { action: 'tag', vars: { 'req.set.x-plan': 'gold' } }, outcome: PASSED },
  { name: 'log', entry: { action: 'log', vars: { backend: 'blue' } }, outcome: PASSED },
];

/** Where HAProxy knows requests, they are answered. */
const BEFORE_SERVER: readonly Row[] = [
  { name: 'allow', entry: { action: 'allow' }, outcome: PASSED },
  { name: 'deny', entry: {}, outcome: { end: 'closed', status: 403, says: ['\r\nx-haverdict-ref: '] } },
  { name: 'deny with a status', entry: { status: 429 }, outcome: { end: 'closed', status: 429 } },
  {
    name: 'deny with a body',
    entry: { status: 451, vars: { body: 'by order' } },
    outcome: { end: 'closed', status: 451, says: ['\r\n\r\nby order'] },
  },
  {
    name: 'tarpit',
    entry: { action: 'tarpit', status: 429 },
    ...{ outcome: { end: 'closed', status: 429 }, atLeastMs: TARPIT_MS - 20 },
  },
  {
    name: 'redirect',
    entry: { action: 'redirect', status: 307, vars: { location: '/x' } },
    outcome: { end: 'closed', status: 307, says: ['\r\nlocation: /x\r\n'] },
  },
  { name: 'drop', entry: { action: 'drop' }, outcome: DROPPED },
  {
    name: 'tag',
    entry: { action: 'tag', vars: { 'req.set.x-plan': 'gold', path: '/new', 'res.add.x-notice': 'new' } },
    outcome: { ...PASSED, says: ['"x-plan":"gold"', '"target":"/new"', '\r\nx-notice: new\r\n'] },
  },
  { name: 'log', entry: { action: 'log', vars: { path: '/new' } }, outcome: { ...PASSED, says: ['"target":"/"'] } },
];

/** The server has answered already; what it said can be replaced. */
const AFTER_SERVER: readonly Row[] = [
  { name: 'allow', entry: { action: 'allow' }, outcome: PASSED },
  { name: 'deny', entry: {}, outcome: { end: 'closed', status: 403 } },
  { name: 'deny with a status', entry: { status: 410 }, outcome: { end: 'closed', status: 410 } },
  {
    name: 'deny with a body',
    entry: { status: 503, vars: { body: 'back at 6' } },
    outcome: { end: 'closed', status: 503, says: ['\r\n\r\nback at 6'] },
  },
  { name: 'tarpit', entry: { action: 'tarpit', status: 429 }, outcome: { end: 'closed', status: 429 } },
  {
    name: 'redirect',
    entry: { action: 'redirect', vars: { location: '/x' } },
    outcome: { end: 'closed', status: 302, says: ['\r\nlocation: /x\r\n'] },
  },
  { name: 'drop', entry: { action: 'drop' }, outcome: DROPPED },
  {
    name: 'tag',
    entry: { action: 'tag', vars: { 'res.set.x-notice': 'new', 'res.del.x-origin': '' } },
    outcome: { ...PASSED, says: ['\r\nx-notice: new\r\n'], saysNot: 'x-origin' },
  },
  {
    name: 'log',
    entry: { action: 'log', vars: { 'res.set.x-notice': 'new' } },
    outcome: { ...PASSED, saysNot: 'x-notice' },
  },
];

interface Place {
  readonly event: string;
  readonly mode: 'http' | 'tcp';
  readonly rows: readonly Row[];
}

const PLACES: readonly Place[] = [
  { event: 'on-client-session', mode: 'tcp', rows: CONNECTION },
  { event: 'on-client-session', mode: 'http', rows: BEFORE_SERVER },
  { event: 'on-frontend-tcp-request', mode: 'tcp', rows: CONNECTION },
  { event: 'on-frontend-tcp-request', mode: 'http', rows: BEFORE_SERVER },
  { event: 'on-backend-http-request', mode: 'http', rows: BEFORE_SERVER },
  { event: 'on-tcp-response', mode: 'tcp', rows: CONNECTION },
  { event: 'on-tcp-response', mode: 'http', rows: AFTER_SERVER },
  { event: 'on-http-response', mode: 'http', rows: AFTER_SERVER },
];

/** What can be decided in one go: the event of the connection, of the backend and of the response are apart. */
const SITES: readonly { readonly mode: Place['mode']; readonly events: readonly string[] }[] = [
  { mode: 'tcp', events: ['on-client-session', 'on-tcp-response'] },
  { mode: 'tcp', events: ['on-frontend-tcp-request'] },
  { mode: 'http', events: ['on-client-session', 'on-backend-http-request', 'on-http-response'] },
  { mode: 'http', events: ['on-frontend-tcp-request', 'on-tcp-response'] },
];

describeOnEveryHaproxy('what an entry makes HAProxy do at every event', (build) => {
  let sites: TableSite[];
  before(async () => {
    sites = await Promise.all(SITES.map((site) => startEventSite(build, site)));
  });
  after(() => Promise.all((sites ?? []).map((site) => site.stop())));

  for (const [at, { event, mode, rows }] of PLACES.entries())
    describe(`${event} in mode ${mode}`, { concurrency: true }, () => {
      for (const [index, row] of rows.entries())
        it(row.name, async () => {
          const place = sites[
            SITES.findIndex((site) => site.mode === mode && site.events.includes(event))
          ] as TableSite; // PLACES have one each
          const from = `127.5.${at}.${index + 1}`;
          // A kind for each event, so that what is listed for one counts for no other.
          place.table.type({ subject: `header.${event}:${from}`, ...row.entry });
          const seen = await knock({ port: place.site.port, from, limitMs: row.name === 'drop' ? 300 : 5000 });
          assertOutcome(seen, row, place);
        });
    });
});

function assertOutcome(seen: Knock, { outcome, atLeastMs = 0 }: Row, { site }: TableSite): void {
  const explained = `${JSON.stringify(seen)}\n${[...site.agent.lines.slice(-3), ...site.haproxy.lines.slice(-3)].join('\n')}`;
  const { end, status, server, says = [], saysNot } = outcome;
  assert.ok([end].flat().includes(seen.end), explained);
  if (status === undefined) assert.equal(seen.received, '', explained);
  else assert.ok(seen.received.startsWith(`HTTP/1.1 ${status} `), explained);
  if (server !== undefined) assert.ok(seen.received.includes(`"server":"${server}"`), explained);
  for (const said of says) assert.ok(seen.received.includes(said), explained);
  assert.ok(saysNot === undefined || !seen.received.includes(saysNot), explained);
  assert.ok(seen.tookMs >= atLeastMs, explained);
}

function startEventSite(haproxy: HaproxyBuild, { mode, events }: (typeof SITES)[number]): Promise<TableSite> {
  const messages = events.map((event) => [`at-${event}`, { event, subjects: { [`header.${event}`]: 'src' } }]);
  const config = {
    ...{ deadlineMs: 2000, backend: { timeoutMs: 2000 }, messages: Object.fromEntries(messages) },
    haproxy: {
      actions: OPT_IN,
      denyStatuses: [410, 429, 451, 503],
      version: haproxy.version,
      backends: ['blue'],
      requestHeaders: ['x-plan'],
      responseHeaders: ['x-notice', 'x-origin'],
    },
  };
  return startTableSite({ haproxy, config, mode });
}
