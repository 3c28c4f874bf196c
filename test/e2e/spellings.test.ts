import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { askOverHttp2, type Fields, get } from '../support/http2-frames.ts';
import { knock } from '../support/knock.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';

const FROM = '127.56.0.1';
const HOST = ['Host: site.example'];

/** A request line, and its headers. */
type Request = readonly [line: string, headers?: readonly string[]];

const ODD_PATHS = [
  ...['//admin', '//x/admin', '/%61dmin', '/%41dmin', '/%30', '/a%2Eb', '/a%2db', '/a%5Fb', '/./admin', '/x/../admin'],
  ...['/..', '/.', '/x/..', '/x/.', '/%2e%2e/admin', '/.%2e/admin', '/x/%2E./admin', '/x%2Fadmin', '/x%2fadmin'],
  ...[
    '/x%5Cadmin',
    '/x\\admin',
    '/..\\admin',
    '/admin%00',
    '/%00',
    '/admin;x',
    '/admin%3bx',
    '/x;/../admin',
    '/x%2f..%2fadmin',
    '/%u0061dmin',
    '/x%U002fadmin',
  ],
];

const ODD_HOSTS = [
  ...['evil.example:abc', 'evil.example:,ok.example', 'evil.example:a.ok.example', 'ok@evil.example', 'evil.example/'],
  ...[
    '%65vil.example',
    'a b',
    '',
    'evil..example',
    '.evil.example',
    'evil.example..',
    '[evil.example]',
    '[::1',
    '::1]',
  ],
  ...[
    'evil.example:80:80',
    'evil.example#',
    'evil.example?',
    'evil.example\\',
    '*.example',
    'evil_example,ok',
    '[::1]x',
  ],
];

const ODD: Readonly<Record<string, readonly Request[]>> = {
  'a path that servers read differently': ODD_PATHS.map((path) => [`GET ${path} HTTP/1.1`, HOST]),
  'no path': [
    ['GET * HTTP/1.1', HOST],
    ['OPTIONS * HTTP/1.1', HOST],
    ['GET admin HTTP/1.1', HOST],
    ['GET ?/admin HTTP/1.1', HOST],
    ['CONNECT site.example:80 HTTP/1.1', ['Host: site.example:80']],
  ],
  'a Host that is none': ODD_HOSTS.map((host) => ['GET / HTTP/1.1', [`Host: ${host}`]]),
  'no Host, or several': [
    ['GET / HTTP/1.1'],
    ['GET / HTTP/1.0'],
    ['GET http://evil.example/ HTTP/1.0'],
    ['GET http://evil.example/ HTTP/1.1'],
    ['GET http://evil.example/ HTTP/1.1', HOST],
    ['GET / HTTP/1.1', [...HOST, 'Host: evil.example']],
    ['GET / HTTP/1.1', [...HOST, ...HOST, 'Host: evil.example']],
  ],
  'a key that is there twice, or under another spelling': [
    ['GET / HTTP/1.1', [...HOST, 'X-Api-Key: a', 'X-Api-Key: b']],
    ['GET / HTTP/1.1', [...HOST, 'X-Api-Key: a', 'x_api_key: b']],
    ['GET / HTTP/1.1', [...HOST, 'X_Api_Key: b']],
    ['GET / HTTP/1.1', [...HOST, 'x-api_key: b']],
    ['GET / HTTP/1.1', [...HOST, 'x_api-key: b']],
    ['GET / HTTP/1.1', [...HOST, 'x.api.key: b']],
    ['GET / HTTP/1.1', [...HOST, 'A: b', 'X_API_KEY: b', 'C: d']],
    ['GET / HTTP/1.1', [...HOST, 'Authorization: a', 'Authorization: b']],
  ],
  'cookies that servers read differently': [
    ['GET / HTTP/1.1', [...HOST, 'Cookie: session=a', 'Cookie: session=b']],
    ['GET / HTTP/1.1', [...HOST, `Cookie: ${'session=a; '.repeat(5)}`]],
    ['GET / HTTP/1.1', [...HOST, 'Cookie: plan=a; plan=b']],
  ],
};

const ODD_OVER_HTTP2: Readonly<Record<string, Fields>> = {
  'an authority that is no host': get('/', 'ok@evil.example'),
  'an authority with a second host behind its port': get('/', 'evil.example:,ok.example'),
  'no authority': get('/').slice(0, 3),
  'another Host beside an authority that is none': [...get('/', ''), ['host', 'ok@evil.example']],
  'a path of dots': get('/x/../admin'),
  'a path with two slashes': get('//evil.example/admin'),
  'a path without a slash': get('admin'),
  'a path with a fragment': get('/admin#x'),
  'a path with a blank': get('/admin x'),
  'a path with a tab': get('/admin\tx'),
  'a key that is there twice': [...get('/'), ['x-api-key', 'a'], ['x-api-key', 'b']],
  'a key under another spelling': [...get('/'), ['x_api_key', 'a']],
};

const BROWSER = [
  ...HOST,
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: de-DE,de;q=0.9,en;q=0.8',
  'Cookie: session=abc; theme="dark"; session=def; _ga=GA1.2.3.4',
  'X-Api-Key: 0123456789abcdef',
];

const ORDINARY: Readonly<Record<string, readonly Request[]>> = {
  'of a browser': [
    ...['/', '/a/b/c.html', '/a//b', '/a///', '/~user/', '/%7Euser', '/a%20b', '/gr%C3%BC%C3%9Fe', '/a%2Bb', '/a@b'],
    ...['/a:b', '/a,b', "/a'b", '/(a)', '/a!b', '/a$b&c=d', '/.well-known/security.txt', '/a.b/..c', '/...', '/a%25b'],
    ...['/a?b=/../%2F//;', '/?next=https://x.example/%61', '/100%', '/a*b', '/_next/static/x-1.2.js', '/a%e2%82%ac'],
  ].map((path): Request => [`GET ${path} HTTP/1.1`, BROWSER]),
  'for a host': [
    ...[
      'SITE.example',
      'site.example.',
      'site.example:8080',
      'site.example:',
      'a_b.site-x.example',
      '[2001:db8::1]:80',
    ],
    ...['[::ffff:192.0.2.1]', '192.0.2.1', 'localhost', 'xn--gre-6ka8l.example', 'a.b.c.d.e.f.example'],
  ].map((host): Request => ['GET / HTTP/1.1', [`Host: ${host}`]]),
  'of programs': [
    ['POST /v1/things HTTP/1.1', [...HOST, 'Authorization: Bearer a.b.c', 'Content-Length: 0']],
    ['DELETE /v1/things/7 HTTP/1.1', HOST],
    ['OPTIONS /v1/things HTTP/1.1', [...HOST, 'Origin: https://x.example', 'Access-Control-Request-Method: PUT']],
    ['HEAD / HTTP/1.1', HOST],
    ['GET /health HTTP/1.0', HOST],
    ['GET http://site.example/a HTTP/1.1', HOST],
    [
      'GET / HTTP/1.1',
      [...HOST, 'X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 192.0.2.2', 'Via: 1.1 a', 'Via: 1.1 b'],
    ],
    ['GET / HTTP/1.1', [...HOST, 'CDN-Loop: a', 'X_Other_Key: b', 'X-Api-Key-Id: c', 'My-X-Api-Key: d']],
  ],
};

const ORDINARY_OVER_HTTP2: Readonly<Record<string, Fields>> = {
  'a page': get('/a/b?c=d'),
  // of which HAProxy makes one, asks about it, and sends no other (seen on 2.6 to 3.4)
  'with two Hosts': [...get('/').slice(0, 3), ['host', 'site.example'], ['host', 'site.example']],
  'with cookies in pieces': [...get('/'), ['cookie', 'session=a'], ['cookie', 'theme=dark'], ['cookie', 'session=b']],
  gRPC: [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/helloworld.Greeter/SayHello'],
    [':authority', 'site.example'],
    ['te', 'trailers'],
    ['content-type', 'application/grpc'],
  ],
};

const SUBJECTS = {
  ip: 'src',
  host: 'req.fhdr(host)',
  path: 'path',
  key: 'req.fhdr(x-api-key)',
  'header.authorization': 'req.fhdr(authorization)',
  'cookie.session': 'req.cook(session)',
  'cookie.plan': 'req.cook(plan),lower',
};

describeOnEveryHaproxy('requests that servers read in several ways', (build) => {
  for (const policy of ['open', 'closed'] as const)
    describe(`under ${policy}`, () => {
      let site: TableSite;
      before(async () => {
        site = await start(build, policy);
      });
      after(() => site?.stop());

      for (const [name, requests] of Object.entries(ODD))
        it(`are refused: ${name}`, async () => {
          for (const request of requests) {
            const before = site.origins.usual.requests;
            const status = await ask(site, request);
            assert.ok(status === 400 || (status === 405 && request[0].startsWith('CONNECT')), `${request}: ${status}`);
            assert.equal(site.origins.usual.requests, before, String(request));
          }
        });

      for (const [name, fields] of Object.entries(ODD_OVER_HTTP2))
        it(`are refused over HTTP/2: ${name}`, async () => {
          const before = site.origins.usual.requests;
          const status = await askOverHttp2(site.site.port, FROM, fields);
          assert.ok(status === 400 || status === 0, String(status)); // HAProxy itself resets some
          assert.equal(site.origins.usual.requests, before);
        });

      for (const [name, requests] of Object.entries(ORDINARY))
        it(`are not those ${name}`, async () => {
          for (const request of requests) assert.equal(await ask(site, request), 200, String(request));
        });

      for (const [name, fields] of Object.entries(ORDINARY_OVER_HTTP2))
        it(`is not ${name} over HTTP/2`, async () => {
          assert.equal(await askOverHttp2(site.site.port, FROM, fields), 200);
        });
    });

  it('are refused without a path, or are about / where HAProxy says so to the server (from 3.0)', async (t) => {
    const site = await start(build, 'open');
    t.after(() => site.stop());
    site.table.type({ subject: 'path:/', action: 'deny' });
    const stopped = [400, 403];
    for (const line of ['GET http://site.example HTTP/1.1', 'GET http://site.example?x=/ HTTP/1.1'])
      assert.ok(stopped.includes(await ask(site, [line, HOST])), line);
    assert.ok(stopped.includes(await askOverHttp2(site.site.port, FROM, get('*'))));
    assert.equal(site.origins.usual.requests, 0);
  });

  it('pass where the policy names them, or the setting for paths', async (t) => {
    const check = { subjects: SUBJECTS, policy: { default: 'open', bad_subject: 'open' } };
    const passing = await startTableSite({ haproxy: build, config: { deadlineMs: 2000, messages: { check } } });
    t.after(() => passing.stop());
    for (const request of [
      ODD_PATHS.map((path): Request => [`GET ${path} HTTP/1.1`, HOST]),
      ODD['no Host, or several']?.slice(1, 2) ?? [],
    ].flat())
      assert.equal(await ask(passing, request), 200, String(request));
  });

  it('only count in shadow mode', async (t) => {
    const check = { subjects: SUBJECTS, shadow: true };
    const site = await startTableSite({ haproxy: build, config: { deadlineMs: 2000, messages: { check } } });
    t.after(() => site.stop());
    assert.equal(await ask(site, ['GET /x;y HTTP/1.1', HOST]), 200);
  });
});

describeOnEveryHaproxy('a path longer than any that is looked up', (build) => {
  const pathOf = (bytes: number, folder = '/'): Request => [
    `GET ${folder.padEnd(bytes, 'x')}?${'q'.repeat(4000)} HTTP/1.1`,
    HOST,
  ];
  for (const [what, more, statuses] of [
    ['is answered 414', {}, [200, 414]],
    ['is answered 414 also where odd ones pass', { oddPaths: 'pass' }, [200, 414]],
    ['passes where the policy says so', { policy: { default: 'open', bad_subject: 'open' } }, [200, 200]],
    ['passes in shadow mode', { shadow: true }, [200, 200]],
    ['is none of a message without a path', { subjects: { ip: 'src' } }, [200, 200]],
  ] as const)
    it(what, async (t) => {
      const config = { deadlineMs: 2000, messages: { check: { subjects: { ip: 'src', path: 'path' }, ...more } } };
      const site = await startTableSite({ haproxy: build, config });
      t.after(() => site.stop());
      assert.deepEqual([await ask(site, pathOf(4096)), await ask(site, pathOf(4097))], statuses);
      if (statuses[1] === 200) return;
      site.table.type({ subject: 'path:/admin/*', action: 'deny' });
      assert.deepEqual(
        [await ask(site, pathOf(4096, '/admin/')), await ask(site, pathOf(9000, '/admin/'))],
        [403, 414],
      );
    });
});

describeOnEveryHaproxy('a message larger than a frame', (build) => {
  for (const policy of ['open', 'closed'])
    it(`is refused under ${policy}`, async (t) => {
      const subjects = { ip: 'src', key: 'req.fhdr(x-api-key)', 'header.x-api-key': 'req.fhdr(x-api-key)' };
      const config = { policy, deadlineMs: 2000, messages: { check: { subjects } } };
      const site = await startTableSite({ haproxy: build, config });
      t.after(() => site.stop());
      assert.equal(await ask(site, ['GET / HTTP/1.1', [...HOST, 'X-Api-Key: a']]), 200);
      assert.equal(await ask(site, ['GET / HTTP/1.1', [...HOST, `X-Api-Key: ${'k'.repeat(9000)}`]]), 400);
      assert.equal(site.origins.usual.requests, 1);
    });
});

function start(haproxy: HaproxyBuild, policy: string): Promise<TableSite> {
  return startTableSite({
    haproxy,
    config: { policy, deadlineMs: 2000, backend: { timeoutMs: 2000 }, messages: { check: { subjects: SUBJECTS } } },
  });
}

async function ask({ site }: TableSite, [line, headers = []]: Request): Promise<number> {
  const send = [line, ...headers, 'Connection: close', '', ''].join('\r\n');
  const { received } = await knock({ port: site.port, from: FROM, send, limitMs: 5000 });
  return Number(/^HTTP\/1\.[01] (\d+)/.exec(received)?.[1] ?? 0);
}
