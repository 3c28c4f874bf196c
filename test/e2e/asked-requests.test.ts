import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';
import { until } from '../support/until.ts';

const FROM = '127.57.0.1';
const ALL = 'admin.example';

/** As nginx, Apache or Node serve what is below /admin/, and /login. */
const LISTED = [
  '/admin/',
  '/admin/x',
  '/admin//x',
  '/admin/x?y=/',
  '/login',
  '/login?x',
  '/admin/%7Ex',
  '/admin/%zz',
  '/admin/a%',
];
const ODD = [
  ...['//admin/x', '/%61dmin/x', '/./admin/x', '/x/../admin/x', '/admin%2Fx', '/admin;x/', '/admin/%2e%2e/admin/x'],
  ...[
    '//login',
    '/%6cogin',
    '/x/%2e%2e/login',
    '/login;x',
    '/./login',
    '/;/login',
    '/.//login',
    '/%2e/login',
    '/%2flogin',
  ],
];
const FREE = ['/', '/admin', '/administrator', '/logins', '/login/', '/x/admin/', '/x?/admin/', '/Login', '/%7Eadmin/'];

/** How one message can be sent for some requests only. */
const PLACES: Readonly<Record<string, object>> = {
  'at its event': {},
  'by a group': { group: 'guarded' },
  'once the backend is chosen': { event: 'on-backend-http-request' },
};

describeOnEveryHaproxy('a message for some paths', (build) => {
  for (const [name, place] of Object.entries(PLACES))
    for (const oddPaths of ['refuse', 'pass'])
      describe(`${name}, oddPaths: ${oddPaths}`, () => {
        let site: TableSite;
        before(async () => {
          const check = { ...place, paths: ['/admin/*', '/login'], oddPaths };
          site = await startGone(build, check);
        });
        after(() => site?.stop());

        it('is for every spelling of them, also when the agent is gone', async () => {
          for (const path of [...LISTED, ...ODD]) {
            const status = await ask(site, path);
            assert.ok(
              status === 503 || (status === 400 && oddPaths === 'refuse' && ODD.includes(path)),
              `${path}: ${status}`,
            );
          }
          assert.equal(site.origins.usual.requests, 0);
        });

        it('is for no other', async () => {
          for (const path of FREE) assert.equal(await ask(site, path), 200, path);
        });
      });
});

const HOSTS = [
  'admin.example',
  'ADMIN.example',
  'admin.example.',
  'admin.example:8080',
  'admin.example.:',
  'a.b.internal.example',
];
const ADDRESSES = ['[2001:db8::1]', '[2001:0DB8:0::1]:80', '192.0.2.1', '[::ffff:192.0.2.1]', '[::ffff:c000:201]'];
const FREE_HOSTS = [
  'site.example',
  'internal.example',
  'xadmin.example',
  'admin.example.org',
  'adminxexample',
  '192.0.2.11',
];

describeOnEveryHaproxy('a message for some hosts', (build) => {
  for (const [name, place] of Object.entries(PLACES))
    it(`is for every spelling of them, and for no other: ${name}`, async (t) => {
      const hosts = ['admin.example', '*.internal.example', '[2001:db8::1]', '192.0.2.1'];
      const site = await startGone(build, { ...place, hosts });
      t.after(() => site.stop());
      for (const host of [...HOSTS, ...ADDRESSES]) assert.equal(await ask(site, '/', host), 503, host);
      for (const host of [
        'admin.example:80:80',
        'x@admin.example',
        'admin.example,',
        '%61dmin.example',
        'admin..example',
      ])
        assert.equal(await ask(site, '/', host), 400, host);
      for (const host of FREE_HOSTS) assert.equal(await ask(site, '/', host), 200, host);
    });
});

describeOnEveryHaproxy('a message for paths, hosts and under a condition', (build) => {
  it('is for what is all of them', async (t) => {
    const check = {
      paths: ['/admin/*', '/gr%C3%BC%C3%9Fe'],
      hosts: [ALL],
      condition: '{ method GET } or { method PUT }',
    };
    const site = await startGone(build, check);
    t.after(() => site.stop());
    assert.equal(await ask(site, '/admin/', ALL), 503);
    assert.equal(await ask(site, '/gr%c3%bc%C3%9fe', ALL), 503);
    assert.equal(await ask(site, '/admin/', ALL, 'PUT'), 503);
    assert.equal(await ask(site, '/admin/', ALL, 'DELETE'), 200);
    assert.equal(await ask(site, '/admin/', 'site.example'), 200);
    assert.equal(await ask(site, '/x', ALL), 200);
  });

  it('is asked, and the agent obeyed', async (t) => {
    const config = { deadlineMs: 5000, messages: { check: { paths: ['/admin/*'], subjects: { ip: 'src' } } } };
    const site = await startTableSite({ haproxy: build, config });
    t.after(() => site.stop());
    site.table.type({ subject: `ip:${FROM}`, action: 'deny' });
    assert.equal(await ask(site, '/admin/x'), 403);
    assert.equal(await ask(site, '/x'), 200);
  });
});

/** A site under closed whose agent is gone, and HAProxy knows. */
async function startGone(haproxy: HaproxyBuild, check: object): Promise<TableSite> {
  const config = { policy: 'closed', messages: { check: { subjects: { ip: 'src' }, ...check } } };
  const site = await startTableSite({ haproxy, config });
  await site.site.agent.kill('SIGKILL');
  await until(
    () => site.site.haproxy.lines.some((line) => line.includes('haverdict-agents has no server available')),
    () => 'HAProxy does not notice that the agent is gone',
  );
  return site;
}

async function ask({ site }: TableSite, path: string, host = 'site.example', method = 'GET'): Promise<number> {
  const send = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const { received } = await knock({ port: site.port, from: FROM, send, limitMs: 5000 });
  return Number(/^HTTP\/1\.[01] (\d+)/.exec(received)?.[1] ?? 0);
}
