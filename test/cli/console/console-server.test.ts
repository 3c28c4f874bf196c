import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { ConsoleServer } from '../../../cli/console/console-server.ts';
import { tellRecorded } from '../../../cli/entries/run.ts';
import { printLine, warn } from '../../../cli/output/output.ts';
import { startProgress } from '../../../cli/output/progress.ts';
import { standardInput } from '../../../cli/output/streams.ts';
import { until } from '../../support/until.ts';

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
}

const ORDER = JSON.stringify({ command: 'lists print', args: [], options: { json: true } });

/** A console whose commands only tell what they were asked, and then do `work`. */
async function started(t: TestContext, work: () => Promise<void> = async () => {}) {
  const asked: string[][] = [];
  const server = new ConsoleServer({
    async run(args) {
      asked.push([...args]);
      await printLine(`read ${(await text(standardInput().bytes)).length} of ${standardInput().name}`);
      await work();
      warn('a warning');
      return 0;
    },
    given: { table: ['--table=t'], config: ['--config=c'], agents: [] },
    about: { table: 't' },
  });
  const link = new URL(await server.open(0));
  t.after(() => server.close());
  const send = (path: string, { method = 'GET', headers = {}, body }: Sent = {}) => {
    const sent = request({ host: '127.0.0.1', port: link.port, path, method, agent: false, headers });
    sent.end(body);
    return answered(sent);
  };
  return { server, link, send, asked };
}

async function answered(sent: ClientRequest): Promise<Answered> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]; // of node:http
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** The same with what the page of a browser that opened the link sends. */
async function entered(t: TestContext, work?: () => Promise<void>) {
  const { link, send, ...rest } = await started(t, work);
  const { headers } = await send(link.pathname + link.search);
  const [cookie = ''] = (headers['set-cookie']?.[0] ?? '').split(';');
  const [, key = ''] = (headers.location ?? '').split('#');
  const page = {
    ...{ host: link.host, origin: link.origin, 'sec-fetch-site': 'same-origin', cookie },
    ...{ 'content-type': 'application/octet-stream', 'x-console-key': key },
  };
  const order = (more: Readonly<Record<string, string>> = {}, body: string | Uint8Array = ORDER) =>
    send('/run', {
      method: 'POST',
      headers: Object.fromEntries(Object.entries({ ...page, ...more }).filter(([, value]) => value !== '')),
      body,
    });
  return { ...rest, link, send, page, order, cookie };
}

describe('the server of the console', () => {
  it('lets in whoever opens the link first, and nobody else', async (t) => {
    const { link, send } = await started(t);
    for (const token of ['', 'x', `${link.searchParams.get('token')}x`])
      assert.equal((await send(`/?token=${token}`)).status, 403);
    const { status, headers } = await send(link.pathname + link.search);
    assert.equal(status, 303);
    assert.match(headers.location ?? '', /^\/#[\w-]{43}$/);
    assert.match(
      headers['set-cookie']?.[0] ?? '',
      /^haverdict-console-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/,
    );
    assert.equal((await send(link.pathname + link.search)).status, 403); // once
    for (const path of ['/', '/page.js', '/about.json', '/nothing']) assert.equal((await send(path)).status, 403);
  });

  it('serves its own files, under a policy without anything from elsewhere', async (t) => {
    const { send, cookie, link } = await entered(t);
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.js', 'text/javascript'],
      ['/style.css', 'text/css'],
      ['/about.json', 'application/json'],
    ] as const) {
      const { status, headers, body } = await send(path, { headers: { cookie } });
      assert.equal(status, 200, path);
      assert.match(headers['content-type'] ?? '', new RegExp(`^${type}`));
      assert.match(
        String(headers['content-security-policy']),
        /default-src 'none'; script-src 'self'; .*frame-ancestors 'none'; require-trusted-types-for 'script'$/,
      );
      assert.doesNotMatch(body, /https?:|<script>|style=|innerHTML/);
    }
    for (const path of ['/nothing', '/page', '/../package.json', '/%2e%2e/package.json', '/constructor', '//page.js'])
      assert.equal((await send(path, { headers: { cookie } })).status, 404, path);
    assert.equal((await send(link.pathname + link.search, { headers: { cookie } })).headers.location, '/');
  });

  it('runs what the page orders, with the table and configuration that it was started with', async (t) => {
    const { order, asked } = await entered(t);
    const body = `${JSON.stringify({ command: 'import', args: ['-'], options: { list: 'feed' }, file: 'a.txt' })}\n203.0.113.7\n`;
    const { status, body: told } = await order({}, body);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(told), {
      ...{ code: 0, out: ['read 12 of a.txt\n'], cut: 0 },
      complaints: ['haverdict: warning: a warning'],
    });
    assert.deepEqual(asked, [['import', '--table=t', '--config=c', '--list=feed', '--', '-']]);
  });

  it('tells by which run a change can be taken back', async (t) => {
    const { order } = await entered(t, async () => tellRecorded('4f1c09ab77de'));
    assert.equal(JSON.parse((await order()).body).run, '4f1c09ab77de');
  });

  for (const [total, told] of [
    [20_000, 100],
    [3, 3],
    [undefined, 20],
  ] as const)
    it(`says how far a long run of ${total ?? 'unknown'} steps is, in a bounded number of lines`, async (t) => {
      const { order } = await entered(t, async () => {
        const progress = startProgress({ label: 'import into feed', total, quiet: true });
        for (let done = 0; done < (total ?? 20_000); done++) progress.advance(1);
      });
      const { status, headers, body } = await order();
      assert.equal(status, 200);
      assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
      const lines = body.split('\n').map((line) => JSON.parse(line));
      assert.equal(lines.length, told + 1);
      assert.deepEqual(lines.at(-2), { label: 'import into feed', done: total ?? 20_000, ...(total && { total }) });
      assert.equal(lines.at(-1).code, 0);
    });

  it('runs a command to its end whose browser is gone', async (t) => {
    const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const { page, link, order, asked } = await entered(t, async () => {
      await gone;
      const progress = startProgress({ label: 'import', total: 1000 });
      for (let done = 0; done < 1000; done++) progress.advance(1);
      end();
    });
    const sent = request({ host: '127.0.0.1', port: link.port, path: '/run', method: 'POST', headers: page });
    sent.on('error', leave).end(ORDER);
    await until(
      () => asked.length === 1,
      () => 'it was not ordered',
    );
    sent.destroy(new Error('the browser was closed'));
    await ended;
    assert.equal((await order()).status, 200);
  });

  for (const [what, headers, status] of [
    ['without the cookie', { cookie: '' }, 403],
    ['with another cookie', { cookie: 'haverdict-console-1=x' }, 403],
    ['without the key', { 'x-console-key': '' }, 403],
    ['with another key', { 'x-console-key': 'x'.repeat(43) }, 403],
    ['of another origin', { origin: 'http://evil.example' }, 403],
    ['of another port of this host', { origin: 'http://127.0.0.1:1' }, 403],
    ['of no origin', { origin: '' }, 403],
    ['of a sandboxed frame', { origin: 'null' }, 403],
    ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['that the browser calls same-site: another port', { 'sec-fetch-site': 'same-site' }, 403],
    ['as a form sends it', { 'content-type': 'text/plain' }, 403],
    ['for a name that a stranger pointed here', { host: 'evil.example', origin: 'http://evil.example' }, 421],
    ['for an address that is not loopback', { host: '192.0.2.1', origin: 'http://192.0.2.1' }, 421],
  ] as const)
    it(`refuses an order ${what}`, async (t) => {
      const { order, asked } = await entered(t);
      assert.equal((await order(headers)).status, status);
      assert.deepEqual(asked, []);
      assert.equal((await order()).status, 200);
    });

  it('takes the host of a tunnel, whose port is another', async (t) => {
    const { order } = await entered(t);
    assert.equal((await order({ host: 'localhost:9000', origin: 'http://localhost:9000' })).status, 200);
  });

  it('answers a foreign Host nothing, whatever is asked', async (t) => {
    const { send, cookie, link } = await entered(t);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80'])
      for (const path of ['/', link.pathname + link.search, '/page.js'])
        assert.equal((await send(path, { headers: { host, cookie } })).status, 421);
  });

  for (const [what, body] of [
    ['nothing', ''],
    ['no JSON', '{'],
    ['a command that the page does not have', JSON.stringify({ command: 'export', args: [], options: {} })],
    [
      'an option that the page does not have',
      JSON.stringify({ command: 'block', args: ['203.0.113.7'], options: { force: true } }),
    ],
    ['a table', JSON.stringify({ command: 'block', args: [], options: { table: 'other' } })],
    ['a file of this host', JSON.stringify({ command: 'block', args: [], options: { 'body-file': '/etc/passwd' } })],
    ['an inherited property', JSON.stringify({ command: 'constructor', args: [], options: {} })],
    ['more than an order has', JSON.stringify({ command: 'explain', args: [], options: {}, more: 1 })],
    ['a line without end', 'x'.repeat(1024 * 1024)],
  ] as const)
    it(`refuses ${what} as an order`, async (t) => {
      const { order, asked } = await entered(t);
      const answer = await order({}, body).catch((error: NodeJS.ErrnoException) => error.code);
      if (typeof answer === 'object') assert.equal(answer.status, body.length > 65_536 ? 413 : 400);
      else assert.match(String(answer), /ECONNRESET|EPIPE/); // it was still being sent
      assert.deepEqual(asked, []);
    });

  it('keeps an argument an argument, whatever it is', async (t) => {
    const { order, asked } = await entered(t);
    await order(
      {},
      JSON.stringify({ command: 'block', args: ['--force', '-c', '--'], options: { reason: '--force\n--yes' } }),
    );
    assert.deepEqual(asked[0]?.slice(-5), ['--reason=--force\n--yes', '--', '--force', '-c', '--']);
  });

  it('takes only GET for the page and only POST for orders', async (t) => {
    const { send, page } = await entered(t);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.equal((await send('/', { method, headers: page })).status, 405);
    for (const method of ['GET', 'PUT', 'OPTIONS'])
      assert.equal((await send('/run', { method, headers: page })).status, 405);
  });

  it('answers the orders under way before it closes, and takes no more', async (t) => {
    const { promise: working, resolve: done } = Promise.withResolvers<void>();
    const { order, server, asked } = await entered(t, () => working);
    const answered = order();
    await until(
      () => asked.length === 1,
      () => 'it was not ordered',
    );
    const closed = server.close();
    await assert.rejects(order(), /ECONNREFUSED/);
    done();
    assert.equal((await answered).status, 200);
    await closed;
  });

  it('runs only some orders at once', async (t) => {
    const { promise: working, resolve: done } = Promise.withResolvers<void>();
    const { order, asked } = await entered(t, () => working);
    const statuses: number[] = [];
    const answers = Array.from({ length: 12 }, () => order().then(({ status }) => statuses.push(status)));
    await until(
      () => asked.length === 8 && statuses.length === 4,
      () => `${asked.length} were ordered, ${statuses.length} refused`,
    );
    assert.deepEqual(statuses, Array(4).fill(503));
    done();
    await Promise.all(answers);
    assert.deepEqual(statuses.slice(4), Array(8).fill(200));
  });
});
