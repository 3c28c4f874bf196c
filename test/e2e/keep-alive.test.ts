import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { hasNewer } from '../support/scope.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const FROM = '127.61.0.1';
const DEADLINE_MS = 2000;
const OF_A_REQUEST = { check: { subjects: { path: 'path' } } };
const OF_A_CONNECTION = { check: { event: 'on-client-session', subjects: { ip: 'src' } } };

/**
 * Bytes that servers have cut into requests at different places. What is asked for in them beside `/listed` may be answered
 * or not: `/listed` reaches no server.
 */
const FRAMINGS: Readonly<Record<string, string>> = {
  'three requests at once': `${get('/a')}${get('/listed')}${get('/b')}`,
  'a length and chunks': post(['Content-Length: 40', 'Transfer-Encoding: chunked'], `0\r\n\r\n${get('/listed')}`),
  'chunks and a length': post(['Transfer-Encoding: chunked', 'Content-Length: 4'], `0\r\n\r\n${get('/listed')}`),
  'an encoding that is none': post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${get('/listed')}`),
  'a blank before the colon': post(['Transfer-Encoding : chunked'], `0\r\n\r\n${get('/listed')}`),
  'a tab before the encoding': post(['Transfer-Encoding:\tchunked'], `0\r\n\r\n${get('/listed')}`),
  'an encoding on a line of its own': post(['Transfer-Encoding:\r\n chunked'], `0\r\n\r\n${get('/listed')}`),
  'two encodings': post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0\r\n\r\n${get('/listed')}`),
  'an encoding with a parameter': post(['Transfer-Encoding: chunked;a=b'], `0\r\n\r\n${get('/listed')}`),
  'a chunk with an extension': post(['Transfer-Encoding: chunked'], `0;a="\r\n\r\n${get('/listed')}"\r\n\r\n`),
  'a chunk whose length is too long': post(
    ['Transfer-Encoding: chunked'],
    `00000000000000000\r\n\r\n${get('/listed')}`,
  ),
  'a chunk length with 0x': post(['Transfer-Encoding: chunked'], `0x0\r\n\r\n${get('/listed')}`),
  'a chunk that ends with LF': post(['Transfer-Encoding: chunked'], `0\n\n${get('/listed')}`),
  'two lengths': post(['Content-Length: 0', 'Content-Length: 44'], get('/listed')),
  'two lengths in one': post(['Content-Length: 0, 44'], get('/listed')),
  'a length with a sign': post(['Content-Length: +0'], get('/listed')),
  'a length below nothing': post(['Content-Length: -1'], get('/listed')),
  'a length in hexadecimal': post(['Content-Length: 0x0'], get('/listed')),
  'no length': post([], get('/listed')),
  'a length of HTTP/1.0': `POST /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n${get('/listed')}`,
  'an upgrade that nobody takes': `GET /a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n${get('/listed')}`,
  'HTTP/0.9': 'GET /listed\r\n\r\n',
  'a version that is not yet': 'GET /listed HTTP/1.2\r\nHost: a\r\n\r\n',
  'HTTP/2.0 in the line': 'GET /listed HTTP/2.0\r\nHost: a\r\n\r\n',
  'a small http': 'GET /listed http/1.1\r\nHost: a\r\n\r\n',
  'LF alone': 'GET /listed HTTP/1.1\nHost: a\n\n',
  'CR alone': 'GET /listed HTTP/1.1\rHost: a\r\r',
  'empty lines before it': `\r\n\r\n${get('/listed')}`,
  'a tab in the line': 'GET\t/listed\tHTTP/1.1\r\nHost: a\r\n\r\n',
  'two blanks in the line': 'GET  /listed  HTTP/1.1\r\nHost: a\r\n\r\n',
  'a blank before the first header': 'GET /listed HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n',
  'a NUL in a header': 'GET /listed HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n',
  'CR in a header': `GET /a HTTP/1.1\r\nHost: a\r\nX: a\\r\r\n\r\n${get('/listed')}`,
  'an expectation': `POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n${get('/listed')}`,
  'a preface of HTTP/2 first': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${get('/listed')}`,
};

describeOnEveryHaproxy('a connection with several requests', (haproxy) => {
  describe('that are cut in different ways', () => {
    let site: TableSite;
    before(async () => {
      site = await siteWith(haproxy, { policy: 'closed', messages: OF_A_REQUEST });
    });
    after(() => site?.stop());

    for (const [what, bytes] of Object.entries(FRAMINGS))
      it(`asks about each: ${what}`, async () => {
        const before = site.origins.usual.requests;
        const { received } = await knock({ port: site.site.port, from: FROM, send: bytes });
        const targets = site.origins.usual.targets.slice(before);
        assert.ok(!targets.some((target) => target.includes('listed')), received);
      });
  });

  for (const policy of hasNewer ? (['open', 'closed'] as const) : (['closed'] as const))
    for (const fault of ['SIGKILL', 'SIGSTOP'] as const) {
      it(`has no verdict of an earlier one under ${policy}, its agent gone by ${fault}`, async (t) => {
        const { site, origins, stop } = await siteWith(haproxy, { policy, messages: OF_A_REQUEST });
        t.after(stop);
        const client = await Client.at(t, site.port);
        const answered = async (path: string, status: number) => {
          const text = await client.ask(path);
          assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), site.agent.lines.slice(-3).join('\n'));
        };
        await answered('/listed', 403);
        await answered('/good', 200);
        process.kill(site.agent.pid, fault);
        await answered('/listed', policy === 'open' ? 200 : 503);
        await answered('/good', policy === 'open' ? 200 : 503);
        if (fault === 'SIGKILL') await site.startAgent();
        else process.kill(site.agent.pid, 'SIGCONT');
        const before = origins.usual.requests;
        await until(
          async () => (await site.visit(FROM, { path: '/listed' })).status === 403,
          () => site.agent.lines.slice(-3).join('\n'),
          20_000,
        );
        if (policy === 'closed') assert.equal(origins.usual.requests, before);
        await answered('/listed', 403);
      });
    }

  it('keeps a deny of the connection for all of them, whatever becomes of the agent', async (t) => {
    const { site, table, origins, stop } = await siteWith(haproxy, { policy: 'closed', messages: OF_A_CONNECTION });
    t.after(stop);
    table.type({ subject: `ip:${FROM}`, action: 'deny' });
    const listed = await Client.at(t, site.port);
    assert.match(await listed.ask('/'), /^HTTP\/1\.1 403 /);
    process.kill(site.agent.pid, 'SIGKILL');
    for (let request = 0; request < 3; request++) assert.match(await listed.ask('/'), /^HTTP\/1\.1 (403|503) /);
    const another = await Client.at(t, site.port, '127.61.0.2');
    assert.match(await another.ask('/'), /^HTTP\/1\.1 503 /);
    assert.equal(origins.usual.requests, 0);
  });
});

/** A connection that stays. */
class Client {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async at(t: TestContext, port: number, from = FROM): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from }).setEncoding('latin1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** What comes first of the answer, which is its head. */
  async ask(path: string): Promise<string> {
    const answer = once(this.#socket, 'data');
    this.#socket.write(get(path));
    const [text] = await answer;
    return text;
  }
}

async function siteWith(haproxy: HaproxyBuild, config: object): Promise<TableSite> {
  const site = await startTableSite({ haproxy, config: { deadlineMs: DEADLINE_MS, ...config } });
  site.table.type({ subject: 'path:/listed', action: 'deny' });
  return site;
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

function post(headers: readonly string[], rest: string): string {
  return ['POST /a HTTP/1.1', 'Host: a', ...headers, '', rest].join('\r\n');
}
