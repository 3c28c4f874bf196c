import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { formatSubject, parseSubject } from '../../contract/subject.ts';
import { clientHello, isAnswered } from '../support/client-hello.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { type Example, type ExampleSites, findingsIn, startExamples } from '../support/example-sites.ts';
import { type RawRequests, statusesOf } from '../support/raw-http.ts';

const NAME = 'large-site';
const LISTED = '127.2.0.7';
const OTHER = '127.2.0.8';
/** The files that the configuration names. */
const FILES = {
  'maps/moved.map': '/alt /neu\n',
  'maps/hosts.map': 'blog.shop.example blog\ndocs.shop.example docs\n',
  'lists/never.lst': '192.0.2.66\n',
  'errors/503.http': 'HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nback soon\n',
} as const;

interface Case {
  readonly what: string;
  readonly at: number;
  readonly asks?: Partial<RawRequests>;
  readonly headers?: readonly string[];
  /** Of a listed address, and of another. */
  readonly statuses: readonly [listed: readonly number[], other: readonly number[]];
}

const DENIED = [403] as const;
const CASES: readonly Case[] = [
  { what: 'the shop', at: 443, statuses: [DENIED, [200]] },
  { what: 'a listed host', at: 443, asks: { host: 'bad.example' }, statuses: [DENIED, [403]] },
  { what: 'two hosts', at: 443, headers: ['Host: other.example'], statuses: [[400], [400]] },
  {
    what: 'static files, from the cache the second time',
    at: 443,
    asks: { path: '/a.css', requests: [[], []] },
    statuses: [
      [403, 403],
      [200, 200],
    ],
  },
  { what: 'another host by a map', at: 443, asks: { host: 'blog.shop.example' }, statuses: [DENIED, [200]] },
  { what: 'a path that has moved', at: 443, asks: { path: '/alt' }, statuses: [DENIED, [301]] },
  {
    what: 'a login',
    at: 443,
    asks: { path: '/login', method: 'POST' },
    headers: ['Content-Length: 0'],
    statuses: [DENIED, [200]],
  },
  { what: 'somebody whom the site stops itself', at: 443, headers: ['User-Agent: nikto'], statuses: [DENIED, [403]] },
  {
    what: 'the API with a key',
    at: 8443,
    asks: { path: '/v1/a' },
    headers: ['X-Api-Key: k-2'],
    statuses: [DENIED, [200]],
  },
  { what: 'the API with a listed key', at: 8443, headers: ['X-Api-Key: k-1'], statuses: [DENIED, [403]] },
  { what: 'the API without a key', at: 8443, statuses: [DENIED, [400]] },
  {
    what: 'the shop with two keys, which it does not read',
    at: 443,
    headers: ['X-Api-Key: k-1', 'X-Api-Key: k-2'],
    statuses: [DENIED, [200]],
  },
  { what: 'partners', at: 8444, statuses: [DENIED, [200]] },
  { what: 'mail, which sends no ClientHello', at: 25, asks: { tls: false }, statuses: [[], [200]] },
  { what: 'MQTT', at: 1883, asks: { tls: false }, statuses: [[], [200]] },
  { what: 'HTTP, which only leads to HTTPS', at: 80, asks: { tls: false }, statuses: [[301], [301]] },
];

describeOnEveryHaproxy('a large site, wired as the guide says', (build) => {
  let sites: ExampleSites;
  let site: Example;
  before(async () => {
    const root = import.meta.dirname;
    sites = await startExamples({ build, names: [NAME], root, trusted: '', others: {}, prepare });
    site = sites.examples.get(NAME) ?? assert.fail();
    for (const subject of [`ip:${LISTED}`, 'host:bad.example', 'key:k-1'])
      sites.table.type({ subject: formatSubject(parseSubject(subject)), action: 'deny' });
  });
  after(() => sites?.stop());

  it('is nothing that the doctor finds anything in', () => assert.deepEqual(findingsIn(site), []));

  for (const { what, at, asks, headers = [], statuses } of CASES)
    it(`stops whom it should: ${what}`, async () => {
      for (const [index, from] of [LISTED, OTHER].entries()) {
        const port = site.port(at);
        const seen = await statusesOf({ from, port, tls: true, requests: [headers], ...asks });
        assert.deepEqual(seen, statuses[index], `from ${from}`);
      }
    });

  it('stops whom it should: TLS that it passes on', async () => {
    const port = site.port(9443);
    const [good, bad] = await Promise.all(['good.example', 'bad.example'].map(clientHello));
    assert.equal(await isAnswered(port, [good ?? assert.fail()], OTHER), true);
    assert.equal(await isAnswered(port, [bad ?? assert.fail()], OTHER), false);
    assert.equal(await isAnswered(port, [good ?? assert.fail()], LISTED), false);
  });
});

function prepare(folder: string): void {
  for (const name of ['certs', 'maps', 'lists', 'errors']) mkdirSync(join(folder, name));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=shop.example'];
  const made = spawnSync('openssl', ['req', '-x509', ...options, '-keyout', key, '-out', certificate]);
  assert.equal(made.status, 0, String(made.stderr));
  writeFileSync(join(folder, 'certs/shop.pem'), [certificate, key].map((file) => readFileSync(file, 'utf8')).join(''));
}
