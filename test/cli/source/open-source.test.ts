import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CliError } from '../../../cli/exit/cli-error.ts';
import { openUrl, redirectedUrl } from '../../../cli/source/fetch-url.ts';
import { openSource } from '../../../cli/source/open-source.ts';
import type { Source } from '../../../cli/source/source.ts';
import { temporaryFolder } from '../../support/config-file.ts';

const LIST = '203.0.113.7\n203.0.113.8\n';
const INSIDE = { inside: true };

describe('a source', () => {
  it('is a file', async (t) => {
    const path = join(temporaryFolder(t), 'list.txt');
    writeFileSync(path, LIST);
    const source = await openSource(path, {});
    assert.equal(await textOf(source), LIST);
    assert.match(source.summary, /list\.txt, 24 bytes of 20/);
  });

  it('says in one line what is wrong with a file', async () => {
    await expectError(openSource('/does/not/exist', {}), 'cannot read /does/not/exist: no such file');
    await expectError(openSource(tmpdir(), {}), `cannot read ${tmpdir()}: it is a directory`);
    await expectError(openSource('bad\u001b[2J', {}), 'cannot read bad\\u001b[2J: no such file');
    await expectError(openSource('a\0b', {}), 'cannot read a\\u0000b: ');
  });

  it('is a URL, fetched with our User-Agent, and summarizes the response', async (t) => {
    const agents: unknown[] = [];
    const url = await serve(t, (request, response) => {
      agents.push(request.headers['user-agent']);
      response.setHeader('etag', '"v1"').setHeader('last-modified', 'Thu, 01 Jan 2026 00:00:00 GMT').end(LIST);
    });
    const source = await openSource(`${url}/list.txt?key=secret`, INSIDE);
    assert.ok(!source.unchanged);
    assert.equal(source.name, told(`${url}/list.txt`)); // a key can be in a path as well
    assert.equal(source.ending, '.txt');
    assert.equal(source.etag, '"v1"');
    assert.equal(source.lastModified, 'Thu, 01 Jan 2026 00:00:00 GMT');
    assert.equal(source.summary, '200, 24 bytes, ETag \\"v1\\", Last-Modified Thu, 01 Jan 2026 00:00:00 GMT');
    assert.equal(await textOf(source), LIST);
    assert.match(String(agents[0]), /^haverdict\/\d+\.\d+\.\d+$/);
  });

  it('is unchanged if the server knows what we have', async (t) => {
    const url = await serve(t, ({ headers }, response) => {
      const isKnown = headers['if-none-match'] === '"v1"' && headers['if-modified-since'] === 'yesterday';
      response.writeHead(isKnown ? 304 : 500).end();
    });
    const source = await openSource(url, { ...INSIDE, etag: '"v1"', lastModified: 'yesterday' });
    assert.equal(source.unchanged, true);
  });

  it('cannot be unchanged if nothing was known', async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(304).end());
    await expectError(openSource(url, INSIDE), `${url}/ answered 304`);
  });

  it('follows five redirects and not six', async (t) => {
    const url = await serve(t, ({ url: path = '' }, response) => {
      const left = Number(path.slice(1));
      if (left === 0) response.end(LIST);
      else response.writeHead(302, { location: `/${left - 1}` }).end('elsewhere');
    });
    assert.equal(await textOf(await openSource(`${url}/5`, INSIDE)), LIST);
    await expectError(openSource(`${url}/6`, INSIDE), `${told(`${url}/6`)} redirects more than 5 times`);
  });

  it('never follows a redirect from https to http, nor to a file', () => {
    const from = new URL('https://feeds.example/list');
    assert.equal(redirectedUrl(from, '/other').href, 'https://feeds.example/other');
    assert.throws(
      () => redirectedUrl(from, 'http://feeds.example/list?key=1'),
      /from https to http:\/\/feeds\.example\/…[0-9a-f]{8},/,
    );
    assert.throws(() => redirectedUrl(from, 'file:///etc/passwd'), /only http and https/);
    assert.throws(() => redirectedUrl(from, undefined), /redirects without a valid location/);
  });

  it('is unpacked if the server sends it compressed', async (t) => {
    const url = await serve(t, ({ headers }, response) => {
      assert.equal(headers['accept-encoding'], 'gzip');
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(LIST));
    });
    assert.equal(await textOf(await openSource(url, INSIDE)), LIST);
  });

  for (const [name, cut] of [
    ['plain', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n203.0.113.7\n'],
    ['chunked', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n203.0.113.7\n\r\n'],
  ] as const) {
    it(`that is cut off is an error and not a shorter list: ${name}`, async (t) => {
      const url = await serveBytes(t, Buffer.from(cut));
      await expectError(
        openSource(url, INSIDE).then(textOf),
        `cannot fetch ${url}/: the connection was closed before the answer was complete`,
      );
    });
  }

  it('that is cut off within its compression is an error', async (t) => {
    const packed = gzipSync('203.0.113.7\n'.repeat(1000));
    const url = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed.subarray(0, packed.length - 12));
    });
    await expectError(
      openSource(url, INSIDE).then(textOf),
      `cannot fetch ${url}/: the compressed answer ends too early: it is incomplete`,
    );
  });

  it('that is larger than any list is refused', async (t) => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    const url = await serve(t, (_, response) => Readable.from(new Array(257).fill(piece)).pipe(response));
    const source = await openSource(url, INSIDE);
    await expectError(lengthOf(source), `${url}/ is larger than 256 MiB, which is more than is fetched`);
  });

  it('that comes for ever is given up', async (t) => {
    const url = await serve(t, (_, response) => response.write(LIST));
    await expectError(openUrl(url, INSIDE, 20).then(textOf), `cannot fetch ${url}/: timeout`);
  });

  it('tells no key that a URL has in its user, path, query or fragment', async (t) => {
    const url = await serve(t, ({ url: path = '' }, response) => {
      const isMoved = path.includes('elsewhere');
      response.writeHead(isMoved ? 302 : 404, isMoved ? { location: 'ftp://TOPSECRET@h/TOPSECRET' } : {}).end();
    });
    const { host } = new URL(url);
    for (const text of [
      `${url}/TOPSECRET/drop.txt`,
      `${url}/drop-TOPSECRET.txt;key=TOPSECRET`,
      `${url}/?TOPSECRET#TOPSECRET`,
      `${url}/TOPSECRET/elsewhere`,
      `http://TOPSECRET:TOPSECRET@${host}/`,
      `HTTP://TOPSECRET@${host}/`,
      'http://TOPSECRET@[/TOPSECRET',
      'https://h:99999/TOPSECRET',
      'ftp://TOPSECRET@h/TOPSECRET',
      'http:TOPSECRET@h:x/TOPSECRET',
      'file:///TOPSECRET',
    ])
      await assert.rejects(openSource(text, INSIDE), (error) => {
        assert.ok(error instanceof CliError && !/TOPSECRET/i.test(error.message), String(error));
        return true;
      });
  });

  it('says in one line what the server refused', async (t) => {
    const url = await serve(t, ({ url: path = '' }, response) => {
      const headers = path === '/429' ? { 'retry-after': '3600' } : {};
      response.writeHead(Number(path.slice(1)), headers).end('<html>no</html>');
    });
    await expectError(openSource(`${url}/404`, INSIDE), `${told(`${url}/404`)} answered 404: no such list`);
    await expectError(
      openSource(`${url}/429`, INSIDE),
      `${told(`${url}/429`)} answered 429: too many requests, and to try again after 3600 s`,
    );
    await expectError(
      openSource(`${url}/403`, INSIDE),
      `${told(`${url}/403`)} answered 403: access denied, or a key is missing`,
    );
    await expectError(openSource(`${url}/500`, INSIDE), `${told(`${url}/500`)} answered 500`);
    await expectError(openSource(`${url}/206`, INSIDE), `${told(`${url}/206`)} answered 206`);
  });

  it('says in one line that there is no connection, no name and no TLS', async (t) => {
    const url = await serve(t, (_, response) => response.end());
    await expectError(
      openSource(url.replace('http:', 'https:'), INSIDE),
      `cannot fetch ${url.replace('http:', 'https:')}/: TLS: `,
    );
    const refused = await freeUrl();
    await expectError(openSource(refused, INSIDE), `cannot fetch ${refused}/: the connection is refused`);
    await expectError(openSource('http://nowhere.invalid/', {}), 'cannot fetch http://nowhere.invalid/: the ');
    await expectError(openSource('http://', {}), 'http://… is not a valid URL');
    await expectError(openSource('http://ann:secret@feeds.example/', {}), 'http://feeds.example/ contains credentials');
  });

  it('stops when it is told to', async (t) => {
    const stop = new AbortController();
    const url = await serve(t, (_, response) => {
      response.write(LIST);
      setImmediate(() => stop.abort());
    });
    await expectError(
      openSource(url, { ...INSIDE, signal: stop.signal }).then(textOf),
      `cannot fetch ${url}/: stopped`,
    );
  });

  it('closes its connection when the reader has enough', async (t) => {
    let closed: Promise<unknown> = Promise.resolve();
    const url = await serve(t, (request, response) => {
      closed = once(request.socket, 'close');
      response.write(LIST);
    });
    const source = await openSource(url, INSIDE);
    assert.ok(!source.unchanged);
    for await (const chunk of source.bytes) {
      assert.ok(chunk.length > 0);
      break;
    }
    await closed;
  });
});

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has no other address
}

/** Answers with these bytes and closes. */
async function serveBytes(t: TestContext, bytes: Uint8Array): Promise<string> {
  const server = createTcpServer((socket) => socket.once('data', () => socket.end(bytes))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // as above
}

/** A URL as messages have it. */
function told(text: string): string {
  const { origin, pathname } = new URL(text);
  return `${origin}/…${createHash('sha256').update(pathname).digest('hex').slice(0, 8)}`;
}

async function freeUrl(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // as above
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

async function textOf(source: Source): Promise<string> {
  assert.ok(!source.unchanged);
  return Buffer.concat(await Array.fromAsync(source.bytes)).toString();
}

async function lengthOf(source: Source): Promise<number> {
  assert.ok(!source.unchanged);
  let length = 0;
  for await (const chunk of source.bytes) length += chunk.length;
  return length;
}

async function expectError(promise: Promise<unknown>, beginning: string): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof CliError, String(error));
    assert.ok(error.message.startsWith(beginning), error.message);
    assert.ok(!/[\p{Cc}\p{Cf}]/u.test(error.message), error.message);
    return true;
  });
}
