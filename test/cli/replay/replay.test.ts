import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { StoredEntry } from '../../../blocklist/entry.ts';
import { itemsCovering } from '../../../cli/entries/listed-item.ts';
import { explain } from '../../../cli/explain/explanation.ts';
import { Replay, type ReplayRules } from '../../../cli/replay/replay.ts';
import { readTable } from '../../../cli/replay/table-entries.ts';
import { isDenied } from '../../../contract/actions.ts';
import { isOddPath } from '../../../contract/kinds/path.ts';
import { formatSubject, parseSubject, subjectFromTraffic } from '../../../contract/subject.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const LISTS = ['manual', 'feed'];
const ALL: ReplayRules = { kinds: ['ip', 'host', 'path', 'method'], ipv6Prefix: 128, oddPaths: 'pass' };

describe('a replay', () => {
  it('counts whom each entry would have denied', async () => {
    const { result } = await replayed(
      [deny('ip:203.0.113.0/24'), deny('path:/admin/*'), { ...deny('ip:203.0.113.9'), action: 'allow' }],
      [
        line('203.0.113.7', '/', 1),
        line('203.0.113.8', '/', 2),
        line('203.0.113.8', '/admin/x', 3),
        line('203.0.113.9', '/admin/x', 4),
        line('192.0.2.1', '/admin/x?y=1', 5),
        line('192.0.2.1', '/', 6),
        'haproxy started',
      ],
    );
    assert.deepEqual([result.requests, result.clients, result.denied], [6, 4, { requests: 4, clients: 3 }]);
    const told = result.hits.map(({ entry, action, requests, clients }) => [entry.subject, action, requests, clients]);
    assert.deepEqual(told, [
      ['ip:203.0.113.0/24', 'deny', 3, 2],
      ['ip:203.0.113.9', 'allow', 1, 1],
      ['path:/admin/*', 'deny', 1, 1],
    ]);
    assert.equal(result.lastMs - result.firstMs, 5000);
  });

  it('looks IPv6 clients up as networks of ipv6Prefix bits', async () => {
    const entries = [deny('ip:2001:db8::/64'), deny('ip:2001:db8:1::1')];
    const lines = [line('2001:db8::5', '/', 1), line('2001:db8:1::1', '/', 1)];
    const denied = async (ipv6Prefix: number) =>
      (await replayed(entries, lines, { ...ALL, ipv6Prefix })).result.denied.requests;
    assert.deepEqual([await denied(128), await denied(64)], [2, 1]);
  });

  for (const [target, oddPaths, denied] of [
    ['/%61dmin', 'pass', 1],
    ['/%61dmin', 'refuse', 0],
    ['/shop', 'refuse', 0],
    ['/admin', 'refuse', 1],
    ['https://shop.example/admin', 'refuse', 1],
    ['https://shop.example', 'refuse', 0],
    ['https://listed.example/', 'refuse', 1],
    ['/ad#6Din', 'refuse', 1], // as HAProxy logs a byte
  ] as const)
    it(`reads the request line: ${target}, oddPaths ${oddPaths}`, async () => {
      const { result } = await replayed(
        [deny('path:/admin'), deny('host:listed.example')],
        [line('192.0.2.1', target, 1)],
        { ...ALL, oddPaths },
      );
      assert.equal(result.denied.requests, denied);
    });

  it('has no allow for a path that servers read in different ways', async () => {
    const allow = { subject: 'path:/admin', list: 'manual', action: 'allow' } as const;
    const { result } = await replayed([allow, deny('ip:192.0.2.1')], [line('192.0.2.1', '/%61dmin', 1)]);
    assert.equal(result.denied.requests, 1);
  });

  it('keeps no more clients than it may, and says so; the requests of the others count', async () => {
    const clients = Array.from({ length: 20 }, (_, index) => `203.0.113.${index}`);
    const lines = clients.map((client) => line(client, '/', 1));
    const { result } = await replayed([deny('ip:203.0.113.0/24')], lines, ALL, 10);
    assert.deepEqual([result.clients, result.hasMoreClients, result.denied], [10, true, { requests: 20, clients: 10 }]);
    assert.equal((await replayed([], lines, ALL, 20)).result.hasMoreClients, false);
  });

  it('agrees with explain about every request', async () => {
    const octet = fc.integer({ min: 0, max: 3 });
    const address = fc.tuple(octet, octet).map(([c, d]) => `203.0.${c}.${d}`);
    const path = fc.constantFrom('/', '/admin', '/admin/x', '/shop/a/b', '//admin', '/%61dmin');
    const subject = fc.oneof(
      address.map((text) => `ip:${text}`),
      octet.map((c) => `ip:203.0.${c}.0/24`),
      fc.constantFrom('path:/admin', 'path:/admin/*', 'path:/shop/*', 'method:POST'),
    );
    const action = fc.constantFrom('deny', 'allow', 'log', 'drop') as fc.Arbitrary<StoredEntry['action']>;
    const entry = fc.record({ subject, list: fc.constantFrom('manual', 'feed'), action });
    const requests = fc.array(fc.tuple(address, path, fc.constantFrom('GET', 'POST')), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), requests, async (entries, asked) => {
        const { result, store } = await replayed(
          entries,
          asked.map(([client, target, method]) => line(client, target, 1, method)),
        );
        let denied = 0;
        for (const [client, target, method] of asked) {
          const found = await Promise.all(
            [['ip', client] as const, ['path', target] as const, ['method', method] as const].map(([kind, text]) =>
              itemsFor(kind, text, store),
            ),
          );
          const lists = { lists: LISTS, shadowLists: [], listActions: {} };
          const { decision } = await explain({ subjects: found, ...lists, shadow: false, nowMs: 0 });
          if (isDenied(decision.action)) denied++;
        }
        assert.equal(result.denied.requests, denied);
      }),
      { numRuns: 50 },
    );
  });
});

function deny(subject: string): StoredEntry {
  return { subject, list: 'manual', action: 'deny' };
}

/** A line of `option httplog`. */
function line(client: string, target: string, second: number, method = 'GET'): string {
  const at = `06/Feb/2026:12:14:${String(second).padStart(2, '0')}.000`;
  return `Feb  6 12:14:14 lb1 haproxy[1]: ${client}:33317 [${at}] web app/s1 1/0/3/6/10 200 27 - - ---- 1/1/1/1/0 0/0 "${method} ${target} HTTP/1.1"`;
}

async function replayed(entries: readonly StoredEntry[], lines: readonly string[], rules = ALL, maxClients?: number) {
  const store = new MemoryStore();
  for (const entry of entries) await store.put(entry);
  const replay = new Replay(
    await readTable({ entries: store, bulk: { scan: () => assert.fail('lists are named') } as never }, LISTS, {}),
    rules,
    maxClients,
  );
  for (const one of lines) replay.add(one);
  return { result: replay.result(), store };
}

async function itemsFor(kind: string, text: string, store: MemoryStore) {
  const bytes = Buffer.from(text);
  const subject = kind === 'ip' ? parseSubject(text) : (subjectFromTraffic(kind, bytes) ?? assert.fail(text));
  const odd = kind === 'path' && isOddPath(bytes) ? ({ odd: 'pass' } as const) : {};
  return { subject: formatSubject(subject), items: await itemsCovering(subject, store), ...odd };
}
