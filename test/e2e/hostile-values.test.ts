import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, it } from 'node:test';
import { OPT_IN } from '../../contract/actions.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { isHarmless } from '../support/hostile-values.ts';
import { knock } from '../support/knock.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const HUGE = 'x'.repeat(64 * 1024);

/** Entries that no tool of ours would write. `EVIL` must be seen in no other place than a reason. */
const BAD: readonly object[] = [
  ...[
    'a\r\nx-evil: EVIL',
    'a\nEVIL',
    'a\rEVIL',
    'EVIL\0',
    'EVIL\x1b[2J',
    'EVIL\u2028',
    'EVIL\u202e',
    `EVIL${HUGE}`,
  ].flatMap((text) => [
    { reason: text },
    { action: 'tag', vars: { 'req.set.x-plan': text } },
    { action: 'tag', vars: { 'res.add.x-notice': text } },
    { vars: { body: text } },
    { action: 'redirect', vars: { location: `/${text}` } },
    { action: 'route', vars: { backend: text } },
    { action: 'tag', vars: { path: `/${text}` } },
    { action: 'tag', vars: { query: text } },
    { action: 'tag', vars: { [`req.set.x-${text}`]: 'EVIL' } },
    { action: text },
  ]),
  { action: 'redirect', vars: { location: 'javascript:EVIL' } },
  { action: 'redirect', vars: { location: '//evil.example/EVIL' } },
  { action: 'redirect', vars: { location: '/\\evil.example/EVIL' } },
  { action: 'redirect', vars: { location: '/"EVIL"' } },
  { action: 'route', vars: { backend: '%[src]EVIL' } },
  { action: 'tag', vars: { path: '/a?EVIL' } },
  { action: 'tag', vars: { path: '/a b EVIL' } },
  { action: 'tag', vars: { query: 'a#EVIL' } },
  { action: 'tag', vars: { action: 'EVIL' } },
  { action: 'tag', vars: { error: 'EVIL' } },
  { action: 'tag', vars: { 'req.set.host': 'EVIL' } },
  { action: 'tag', vars: { 'req.set.content-length': '0' } },
  { action: 'tag', vars: { 'res.set.transfer-encoding': 'EVIL' } },
  { action: 'tag', vars: { 'txn.set.x-plan': 'EVIL' } },
  { action: 'tag', vars: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`req.set.x-${n}`, 'EVIL'])) },
  { action: 'tag', vars: { 'req.set.x-plan': { S: 'EVIL' } } },
  { action: 'tag', vars: 'EVIL' },
  { status: 200, reason: 'EVIL' },
];

/** Values that are right, and that a careless writer would break something with. */
const AWKWARD = [
  'say "no" and \'never\'',
  '100%, %[src], %%, %0d%0aX-Evil:%20EVIL, %ci',
  'back\\slash, $HOME, $\u007bHOME}, `id`, # { } ; | [1]',
  'Grüße, 日本語, 🦊',
  '🦊'.repeat(140), // four bytes each; with more the agent leaves the reason out
];

describeOnEveryHaproxy('values from the table', (build) => {
  let place: TableSite;
  before(async () => {
    place = await startTableSite({ haproxy: build, config: configOf(build), lines: SITE_LINES });
  });
  after(() => place?.stop());

  it('that are wrong let nobody in, are told of once each, and reach nothing but a reason, as one line', async () => {
    const keys = typeBad((item) => place.table.type(item));
    for (const [index, key] of keys.entries()) {
      const { action = 'deny', reason } = BAD[index] as { action?: string; reason?: string };
      const isDenied = action === 'deny' || action === 'redirect'; // to nowhere
      const { received } = await ask(place, key);
      assert.match(
        received,
        isDenied ? /^HTTP\/1.1 403 / : /^HTTP\/1.1 200 /,
        JSON.stringify(BAD[index]).slice(0, 200),
      );
      assert.doesNotMatch(received, /^(x-evil|EVIL)/m);
      if (reason === undefined) assert.doesNotMatch(received, /EVIL/);
    }
    const told = place.table.lines.filter(({ message }) =>
      /^(invalid entry ignored|entry read as it is meant)$/.test(message),
    );
    assert.deepEqual(
      told.map(({ subject }) => subject),
      keys.map((key) => `ua:${key}`),
    );
    for (const { problem, corrections } of told)
      for (const said of (corrections as string[] | undefined) ?? [problem])
        assert.ok(isHarmless(String(said)), String(said));
    assertLogUnharmed(await logOf(place, keys.length));
  });

  it('that are awkward arrive as they are, in headers and in one line of the log', async () => {
    const before = requestsIn(place).length;
    for (const [index, text] of AWKWARD.entries()) {
      const isAscii = /^[ -~]*$/.test(text); // all that entries can put into headers
      const vars = isAscii ? { 'req.set.x-plan': text, 'res.set.x-notice': text } : {};
      place.table.type({ subject: `ua:awkward-${index}`, action: 'tag', reason: text, vars });
      const { received } = await ask(place, `awkward-${index}`);
      const response = Buffer.from(received, 'latin1').toString();
      for (const header of isAscii ? ['x-notice', 'x-reason'] : ['x-reason'])
        assert.ok(response.includes(`\r\n${header}: ${text}\r\n`), `${header} in ${response}`);
      const [, body = ''] = response.split('\r\n\r\n');
      assert.equal(JSON.parse(body).headers['x-plan'], isAscii ? text : undefined);
    }
    const lines = await logOf(place, before + AWKWARD.length);
    for (const [index, text] of AWKWARD.entries()) {
      const [line = '', ...more] = lines.filter((each) => each.includes(`/awkward-${index} `));
      assert.deepEqual(more, []);
      assert.match(line, LOG_LINE);
      if (/^[ -~]*$/.test(text)) assert.ok(line.includes(`"${text.replace(/["\\\]]/g, '\\$&')}"`), line);
    }
    assertLogUnharmed(lines.slice(before));
  });
});

describeOnEveryHaproxy('a backend that answers what is wrong', (build) => {
  it('is told in the log of the agent, the policy answers, and nothing of it is seen', async (t) => {
    const items = new Map<string, object>();
    const keys = typeBad(({ subject, ...item }) =>
      items.set(subject, { subject, list: 'manual', action: 'deny', ...item }),
    );
    const evil = createServer(async (request, response) => {
      if (request.method === 'GET') return void response.end('{}'); // the health that is asked for at the start
      const { subjects } = (await json(request)) as { subjects: string[] };
      const verdicts = subjects.map((subject) => ({ subject, entry: items.get(subject) ?? null }));
      response.end(JSON.stringify({ ttl: 60, verdicts }));
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
    t.after(() => evil.close());
    const url = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`; // a listening TCP server has one
    const config = { ...configOf(build), backend: { url, timeoutMs: 2000 } };
    const place = await startTableSite({ haproxy: build, config, lines: SITE_LINES });
    t.after(() => place.stop());
    for (const key of keys) {
      const { received } = await ask(place, key);
      assert.match(received, /^HTTP\/1.1 200 /, key);
      assert.match(received, /\r\nx-source: policy\r\n/, key);
      assert.doesNotMatch(received, /EVIL/);
    }
    const told = () => place.site.agent.lines.filter((line) => line.includes('"msg":"invalid entry in an answer'));
    await until(
      () => told().length > 0,
      () => 'it is not told',
    );
    // Each problem once a minute, whoever has it.
    const entries = told().map((line) => JSON.parse(line));
    assert.equal(entries[0]?.subject, `ua:${keys[0]}`);
    assert.equal(new Set(entries.map(({ problem }) => problem)).size, entries.length);
    for (const line of place.site.agent.lines) assert.ok(line.length < 2000 && !line.includes('\x7f'), line);
    assertLogUnharmed(await logOf(place, keys.length));
  });
});

/** The request, what was decided, the reason with what would end a text escaped, and the reference id of a deny. */
const LOG_LINE =
  /^127\.0\.0\.1:.* (200 .* (allow|tag)|403 .* deny)\/(backend|policy) "([^"\\]|\\["\\\]])*" (-|\w{12})$/;

function typeBad(type: (item: { readonly subject: string }) => void): string[] {
  return BAD.map((fields, index) => {
    const item = { subject: `ua:bad-${index}`, ...fields };
    type(item);
    return `bad-${index}`;
  });
}

function ask({ site }: TableSite, key: string) {
  const send = `GET /${key} HTTP/1.1\r\nhost: site.example\r\nx-key: ${key}\r\nconnection: close\r\n\r\n`;
  return knock({ port: site.port, from: '127.0.0.1', send, limitMs: 5000 });
}

/** What HAProxy logged of requests, once it is so many lines. */
async function logOf(place: TableSite, count: number): Promise<readonly string[]> {
  await until(
    () => requestsIn(place).length >= count,
    () => `only ${requestsIn(place).length} lines`,
  );
  return requestsIn(place);
}

/** All lines but what HAProxy says of itself, so that one that a value broke in two is among them. */
function requestsIn({ site }: TableSite): readonly string[] {
  return site.haproxy.lines.filter((line) => !/^\[(NOTICE|WARNING)\]/.test(line));
}

function assertLogUnharmed(lines: readonly string[]): void {
  for (const line of lines) assert.match(line, LOG_LINE);
}

function configOf({ version }: HaproxyBuild) {
  return {
    ...{ deadlineMs: 2000, backend: { timeoutMs: 2000 } },
    messages: { 'check-request': { subjects: { ua: 'req.hdr(x-key)' } } },
    haproxy: {
      version,
      actions: OPT_IN,
      backends: ['blue'],
      requestHeaders: ['x-plan'],
      responseHeaders: ['x-notice'],
    },
  };
}

const REASON = variable('reason');
const SITE_LINES = [
  `http-response set-header x-reason %[${REASON}] if { ${REASON} -m found }`,
  `http-response set-header x-source %[${variable('source')}]`,
];

function variable(name: string): string {
  return `var(txn.haverdict.${name})`;
}
