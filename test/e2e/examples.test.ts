import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { formatSubject, parseSubject } from '../../contract/subject.ts';
import { type HaproxyVersion, isAtLeast } from '../../haproxy/versions.ts';
import type { Action, Message } from '../../spop/spop.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { EXAMPLE_NAMES, type Example, type ExampleSites, findingsIn, startExamples } from '../support/example-sites.ts';
import { type RawRequests, statusesOf } from '../support/raw-http.ts';
import { longRuns } from '../support/scope.ts';
import { startScriptedAgent } from '../support/scripted-agent.ts';

/** Who is listed, who is not, and where they come from. */
const LISTED = '198.51.100.7';
const OTHER = '198.51.100.8';
const PROXY = '127.1.0.1';
const DIRECT = '127.2.0.8';
const LISTED_DIRECT = '127.2.0.7';
/** Whom the other agents stop. */
const ATTACKER = '127.3.0.1';
const KEYS = { stolen: 'k-1', good: 'k-2' } as const;

interface Case {
  readonly what: string;
  readonly at?: number;
  readonly asks: Omit<RawRequests, 'port'>;
  readonly statuses: readonly number[];
}

const one = (from: string, ...headers: string[]) => ({ from, requests: [headers] });

/** Behind a proxy that says in this header who asks: what it says counts, and what anybody else says does not. */
function behindProxy(header: string, write = (address: string) => address): Case[] {
  const says = (address: string) => `${header}: ${write(address)}`;
  return [
    { what: 'a listed client of the proxy', asks: one(PROXY, says(LISTED)), statuses: [403] },
    { what: 'another client of the proxy', asks: one(PROXY, says(OTHER)), statuses: [200] },
    {
      what: 'clients that share a connection of the proxy',
      asks: { from: PROXY, requests: [[says(OTHER)], [says(LISTED)], [says(OTHER)], [says(LISTED)]] },
      statuses: [200, 403, 200, 403],
    },
    { what: 'a listed client that sends the header itself', asks: one(LISTED_DIRECT, says(OTHER)), statuses: [403] },
    { what: 'a client that says that it is a listed one', asks: one(DIRECT, says(LISTED)), statuses: [200] },
    {
      what: 'a listed client, with and without the header',
      asks: { from: LISTED_DIRECT, requests: [[says(OTHER)], []] },
      statuses: [403, 403],
    },
  ];
}

/** What could make HAProxy read another address, or none. */
const BEFORE = fc
  .array(
    fc.constantFrom(
      ...'"",;\\ :[]()=.\t',
      OTHER,
      `for=${OTHER}`,
      '2001:db8::1',
      'for="[2001:db8::1]"',
      'unknown',
      '80',
      'a',
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** An address, and a quote that makes what follows a part of it. */
const HIDING = ['"', ' "', ':"', ':80"', '/"', ';"']
  .map((end) => `${OTHER}${end}`)
  .concat('[2001:db8::1]:"', '2001:db8::1"');

/** What a client sends does not hide what the proxy appends to it; a quote does, for HAProxy, and is refused. */
function unreadable(header: string, sent: readonly string[], write = (address: string) => address): Case[] {
  return [
    ...[...sent, '', ','].map((text) => ({
      what: `a listed client that sent ${text}`,
      asks: one(PROXY, `${header}: ${text}, ${write(LISTED)}`),
      statuses: [403],
    })),
    ...HIDING.map(write)
      .concat('"', `${write(OTHER)}, "`, '\\"')
      .map((text) => ({
        what: `a listed client that sent ${text}`,
        asks: one(PROXY, `${header}: ${text}, ${write(LISTED)}`),
        statuses: [400],
      })),
    { what: 'a health check of the proxy', asks: one(PROXY), statuses: [200] },
  ];
}

/** The proxy appends to what the client sent. */
function appended(header: string, write = (address: string) => address): Case[] {
  const both = (sent: string, own: string) => [
    one(PROXY, `${header}: ${write(sent)}, ${write(own)}`),
    one(PROXY, `${header}: ${write(sent)}`, `${header}: ${write(own)}`),
  ];
  return [
    ...both(OTHER, LISTED).map((asks) => ({
      what: 'a listed client that sent another address',
      asks,
      statuses: [403],
    })),
    ...both(LISTED, OTHER).map((asks) => ({ what: 'a client that sent a listed address', asks, statuses: [200] })),
  ];
}

const proxied = (from: string, client: string) => ({
  ...one(from),
  preface: `PROXY TCP4 ${client} 192.0.2.1 4711 80\r\n`,
});
/** Version 2 of the protocol, TCP over IPv4. */
const proxiedInBytes = (from: string, client: string) => {
  const bytes = [...client.split('.').map(Number), ...[192, 0, 2, 1], ...[18, 103, 0, 80]];
  return { ...one(from), preface: `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c${String.fromCharCode(...bytes)}` };
};
const key = (value: string) => `X-Api-Key: ${value}`;

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'load-balancer': [
    ...behindProxy('X-Forwarded-For'),
    ...appended('X-Forwarded-For'),
    ...unreadable('X-Forwarded-For', ['unknown', '999.1.1.1', `${OTHER};`]),
  ],
  'cdn-header': behindProxy('CF-Connecting-IP'),
  'src-kept': [
    ...behindProxy('X-Forwarded-For'),
    ...appended('X-Forwarded-For'),
    ...unreadable('X-Forwarded-For', ['unknown', '999.1.1.1', `${OTHER};`]),
  ],
  forwarded: [
    ...behindProxy('Forwarded', (address) => `for=${address}`),
    ...appended('Forwarded', (address) => `for=${address}`),
    ...unreadable(
      'Forwarded',
      ['for=unknown', 'for="_hidden"', 'by=192.0.2.9', 'for="[2001:db8::1]:80"'],
      (address) => `for=${address}`,
    ),
    { what: 'a listed client with a port', asks: one(PROXY, `Forwarded: for="${LISTED}:4711"`), statuses: [403] },
  ],
  'proxy-protocol': [
    { what: 'a listed client of the balancer', asks: proxied(PROXY, LISTED), statuses: [403] },
    { what: 'another client of the balancer', asks: proxied(PROXY, OTHER), statuses: [200] },
    { what: 'a listed client, in version 2', asks: proxiedInBytes(PROXY, LISTED), statuses: [403] },
    { what: 'another client, in version 2', asks: proxiedInBytes(PROXY, OTHER), statuses: [200] },
    { what: 'a listed client that sends version 2', asks: proxiedInBytes(LISTED_DIRECT, OTHER), statuses: [400] },
    { what: 'a listed client that sends a PROXY line', asks: proxied(LISTED_DIRECT, OTHER), statuses: [400] },
    { what: 'a listed client', asks: one(LISTED_DIRECT), statuses: [403] },
    { what: 'a client', asks: one(DIRECT), statuses: [200] },
  ],
  'tcp-and-http': [
    { what: 'a listed client of HTTP', asks: one(LISTED_DIRECT), statuses: [403] },
    { what: 'a client of HTTP', asks: one(DIRECT), statuses: [200] },
    { what: 'a listed client of TCP', at: 25, asks: one(LISTED_DIRECT), statuses: [] },
    { what: 'a client of TCP', at: 25, asks: one(DIRECT), statuses: [200] },
  ],
  'several-frontends': [
    { what: 'a listed client of the shop', asks: one(LISTED_DIRECT), statuses: [403] },
    { what: 'a client of the shop, without a key', asks: one(DIRECT), statuses: [200] },
    { what: 'a client of the shop with a listed key', asks: one(DIRECT, key(KEYS.stolen)), statuses: [200] },
    {
      what: 'a client of the shop with two keys, which only the API reads',
      asks: one(DIRECT, key(KEYS.stolen), key(KEYS.good)),
      statuses: [200],
    },
    { what: 'static files', asks: { ...one(LISTED_DIRECT), path: '/static/a.css' }, statuses: [403] },
    { what: 'a listed client of the API', at: 8080, asks: one(LISTED_DIRECT, key(KEYS.good)), statuses: [403] },
    { what: 'a listed key', at: 8080, asks: one(DIRECT, key(KEYS.stolen)), statuses: [403] },
    { what: 'another key', at: 8080, asks: one(DIRECT, key(KEYS.good)), statuses: [200] },
    { what: 'no key', at: 8080, asks: one(DIRECT), statuses: [400] },
    { what: 'two keys', at: 8080, asks: one(DIRECT, key(KEYS.stolen), key(KEYS.good)), statuses: [400] },
  ],
  coraza: besideAnother('coraza'),
  crowdsec: besideAnother('crowdsec'),
};

/** Each agent stops whom it stops, and neither is asked with the other's variables. */
function besideAnother(name: string): Case[] {
  return [
    { what: 'a listed client', asks: one(LISTED_DIRECT), statuses: [403] },
    { what: `who is stopped by ${name}`, asks: one(ATTACKER), statuses: [403] },
    { what: 'a client', asks: one(DIRECT), statuses: [200] },
  ];
}

/** They need a converter that 2.6 does not have. */
const SINCE: Readonly<Record<string, HaproxyVersion>> = { forwarded: '2.8' };

describeOnEveryHaproxy('the examples for HAProxy', (build) => {
  const names = EXAMPLE_NAMES.filter((name) => isAtLeast(build.version, SINCE[name] ?? '2.4'));
  const asked = new Set<string>();
  const stops: (() => unknown)[] = [];
  let sites: ExampleSites;
  before(async () => {
    const other = await startScriptedAgent({ after: (stop) => stops.push(stop) }, (messages) => {
      for (const { name } of messages) asked.add(name);
      return verdictOf(messages);
    });
    const others = { coraza_spoa: other.port, spoa: other.port };
    sites = await startExamples({ build, names, trusted: '127.1.0.0/16', others });
    stops.push(sites.stop);
    for (const address of [LISTED, LISTED_DIRECT]) sites.table.type({ subject: `ip:${address}`, action: 'deny' });
    sites.table.type({ subject: formatSubject(parseSubject(`key:${KEYS.stolen}`)), action: 'deny' });
  });
  after(() => Promise.all(stops.map((stop) => stop())));

  for (const name of names) {
    it(`${name}: the doctor finds nothing`, () => {
      assert.deepEqual(findingsIn(exampleOf(sites, name)), []);
    });
    for (const { what, at = 80, asks, statuses } of CASES[name] ?? [])
      it(`${name}: ${what}`, async () => {
        assert.deepEqual(await statusesOf({ ...asks, port: exampleOf(sites, name).port(at) }), statuses);
      });
  }

  for (const [name, header, write] of [
    ['load-balancer', 'X-Forwarded-For', ''],
    ['src-kept', 'X-Forwarded-For', ''],
    ['forwarded', 'Forwarded', 'for='],
  ] as const)
    if (names.includes(name))
      it(`${name}: whatever a listed client sends before its address`, async () => {
        const seed = Date.now();
        const headers = fc
          .sample(BEFORE, { seed, numRuns: longRuns(1000, 60) })
          .map((text) => `${header}: ${text}, ${write}${LISTED}`);
        const seen = new Set<number | undefined>();
        for (const sent of headers) {
          const [status] = await statusesOf({ ...one(PROXY, sent), port: exampleOf(sites, name).port(80) });
          assert.ok(status === 403 || status === 400, `${status} for ${sent} (seed ${seed})`);
          seen.add(status);
        }
        assert.equal(seen.size, 2);
      });

  it('have cases each, and really ask the other agents', () => {
    assert.deepEqual(Object.keys(CASES).toSorted(), EXAMPLE_NAMES.toSorted());
    for (const message of ['coraza-req', 'coraza-res', 'crowdsec-tcp', 'crowdsec-http-body'])
      assert.ok(asked.has(message), `${message} was not asked`);
  });
});

function exampleOf({ examples }: ExampleSites, name: string): Example {
  const example = examples.get(name);
  assert.ok(example !== undefined, name);
  return example;
}

/** What the WAFs answer: deny and ban for the attacker, nothing for others. */
function verdictOf(messages: readonly Message[]): Action[] {
  const isAttacker = messages.some(({ args }) =>
    args.some(
      ({ name, value }) => name === 'src-ip' && value.type === 'ipv4' && [...value.value].join('.') === ATTACKER,
    ),
  );
  const isCoraza = messages.some(({ name }) => name.startsWith('coraza'));
  const [name, value] = isCoraza
    ? ['action', isAttacker ? 'deny' : 'none']
    : ['remediation', isAttacker ? 'ban' : 'allow'];
  return [{ type: 'set-var', scope: 'txn', name, value: { type: 'string', value } }];
}
