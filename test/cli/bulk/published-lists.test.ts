import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { type CollectedOptions, collected } from '../../support/collected.ts';
import { describeNewer, longRuns } from '../../support/scope.ts';

/** As many as the longest public lists have, and few where all of them would take a minute. */
const LINES = longRuns(200_000, 400);

const FORMATS_PAGE = readFileSync(new URL('../../../docs/reference/formats.md', import.meta.url), 'utf8');

/** Different addresses and networks in no order, none of them private. */
const ADDRESSES = Array.from({ length: LINES }, (_, at) => {
  const mixed = (at * 2_654_435_761) % 2 ** 24;
  const octets = [44 + (at % 3), mixed >>> 16, (mixed >>> 8) & 255, mixed & 255];
  if (at % 10 === 7) return `2a0${1 + (at % 8)}:${((at >>> 12) + 1).toString(16)}::${((at & 4095) + 1).toString(16)}`;
  return at % 10 === 3 ? `${octets.slice(0, 3).join('.')}.0/24` : octets.join('.');
});
const SINGLE = ADDRESSES.filter((value) => !value.includes('/'));
const IPV4 = ADDRESSES.filter((value) => !value.includes(':'));
const NAMES = Array.from({ length: LINES }, (_, at) => `${(at * 7919).toString(36)}.host-${at % 97}.example`);

/** A published list: its bytes as they are served, how it is imported, and the subjects that it is made of. */
interface Published {
  readonly text: () => Iterable<string>;
  readonly options?: CollectedOptions;
  readonly subjects: readonly string[];
}

const ip = (values: readonly string[]) => values.map((value) => `ip:${value}`);
const host = (values: readonly string[]) => values.map((value) => `host:${value}`);
const lines = (values: readonly string[], line: (value: string, at: number) => string, ...heading: readonly string[]) =>
  function* () {
    for (const text of heading) yield `${text}\n`;
    for (let at = 0; at < values.length; at += 1000)
      yield values
        .slice(at, at + 1000)
        .map((value, index) => `${line(value, at + index)}\n`)
        .join('');
  };
const json = (document: unknown) => () => [JSON.stringify(document, null, 1)];

const PUBLISHED: Readonly<Record<string, Published>> = {
  'FireHOL, a netset': {
    text: lines(ADDRESSES, (value) => value, '#', '# example_level1', '# Maintainer : Example', '#'),
    options: { name: 'example_level1.netset' },
    subjects: ip(ADDRESSES),
  },
  'Spamhaus DROP, NDJSON with its metadata': {
    text: function* () {
      yield* lines(ADDRESSES, (cidr, at) => JSON.stringify({ cidr, sblid: `SBL${at}`, rir: 'arin' }))();
      yield `${JSON.stringify({ type: 'metadata', timestamp: 1, size: 1, records: ADDRESSES.length, copyright: '(c)', terms: 'x' })}\n`;
    },
    subjects: ip(ADDRESSES),
  },
  'IPsum, addresses and counts': {
    text: lines(SINGLE, (value, at) => `${value}\t${(at % 9) + 1}`, '# IPsum', '# IP\tnumber of (black)lists', '#'),
    subjects: ip(SINGLE),
  },
  'a hosts file, as StevenBlack has it': {
    text: lines(
      NAMES,
      (name, at) => (at % 50 === 0 ? `\n# part ${at}\n0.0.0.0 ${name}` : `0.0.0.0 ${name}`),
      ...['# Title: example', '127.0.0.1 localhost', '::1 ip6-localhost', 'fe80::1%lo0 localhost', '0.0.0.0 0.0.0.0'],
    ),
    options: { kind: 'host' },
    subjects: host(NAMES),
  },
  'ipset save': {
    text: lines(
      ADDRESSES,
      (value, at) => `add bad ${value}${at % 3 === 0 ? ' timeout 600' : ''}${at % 5 === 0 ? ' comment "a; #b"' : ''}`,
      'create bad hash:net family inet hashsize 1024 maxelem 1000000 timeout 0 comment',
    ),
    subjects: ip(ADDRESSES),
  },
  'HAProxy, show acl': {
    text: lines(
      ADDRESSES,
      (value, at) => `0x55d0${(at * 64).toString(16).padStart(8, '0')} ${value}`,
      '# 0 (/etc/haproxy/bad.acl) pattern loaded',
    ),
    subjects: ip(ADDRESSES),
  },
  'a list of proxies': {
    text: lines(SINGLE, (value, at) => (value.includes(':') ? `[${value}]:${at % 65_535}` : `${value}:${at % 65_535}`)),
    subjects: ip(SINGLE),
  },
  'abuse.ch, quoted CSV with another heading': {
    text: lines(
      IPV4,
      (value, at) => `"2026-01-01 00:00:${at % 60}", "${value}", "${at % 65_535}", "Example, ""Bot""", "online"`,
      '# "first_seen_utc","dst_ip","dst_port","malware","c2_status"',
    ),
    options: { name: 'blocklist.csv', column: 'dst_ip' },
    subjects: ip(IPV4),
  },
  'a geofeed, CSV without heading': {
    text: lines(ADDRESSES, (value, at) => `${value},${at % 2 === 0 ? 'US' : 'DE'},,"Example, Town",${10_000 + at}`),
    options: { name: 'google.csv' },
    subjects: ip(ADDRESSES),
  },
  'CrowdSec, cscli decisions list': {
    text: json(
      SINGLE.map((value, id) => ({
        ...{ id, scenario: 'http-probing', source: { ip: value, scope: 'Ip' } },
        decisions: [
          {
            duration: '3h59m12s',
            id,
            origin: 'CAPI',
            scenario: 'x',
            scope: 'Ip',
            type: 'ban',
            value,
            simulated: false,
          },
        ],
      })),
    ),
    subjects: ip(SINGLE),
  },
  'CrowdSec, decisions/stream': {
    text: json({
      deleted: SINGLE.slice(0, 50).map((value, id) => ({ duration: '-1s', id, scope: 'Ip', type: 'ban', value })),
      new: SINGLE.slice(50).map((value, id) => ({
        duration: '3h59m12s',
        id,
        origin: 'CAPI',
        scenario: 'x',
        scope: 'Ip',
        type: 'ban',
        value,
      })),
    }),
    subjects: ip(SINGLE.slice(50)),
  },
  'AbuseIPDB, the blacklist': {
    text: json({
      meta: { generatedAt: '2026-01-01T00:00:00+00:00' },
      data: SINGLE.map((ipAddress) => ({
        ipAddress,
        abuseConfidenceScore: 100,
        countryCode: 'XX',
        lastReportedAt: 'x',
      })),
    }),
    subjects: ip(SINGLE),
  },
  'AWS WAF, an IP set': {
    text: json({
      IPSet: {
        Name: 'x',
        Addresses: ADDRESSES.map((value) =>
          value.includes('/') ? value : `${value}/${value.includes(':') ? 128 : 32}`,
        ),
      },
    }),
    subjects: ip(ADDRESSES),
  },
  'AWS ip-ranges': {
    text: json({
      ...{ syncToken: '1', createDate: '2026-01-01-00-00-00' },
      prefixes: IPV4.map((ip_prefix) => ({ ip_prefix, region: 'x', service: 'EC2', network_border_group: 'x' })),
      ipv6_prefixes: ADDRESSES.filter((value) => value.includes(':')).map((ipv6_prefix) => ({
        ipv6_prefix,
        region: 'x',
        service: 'EC2',
        network_border_group: 'x',
      })),
    }),
    options: { field: wordsFor('AWS') },
    subjects: ip(ADDRESSES),
  },
  'Google, ranges': {
    text: json({
      ...{ syncToken: '1', creationTime: '2026-01-01T00:00:00.0' },
      prefixes: ADDRESSES.map((value) =>
        value.includes(':') ? { ipv6Prefix: value } : { ipv4Prefix: value, service: 'x', scope: 'eu' },
      ),
    }),
    options: { field: wordsFor('Google') },
    subjects: ip(ADDRESSES),
  },
  'GitHub, meta': {
    text: json({
      ...{ verifiable_password_authentication: false, ssh_keys: ['x'] },
      hooks: IPV4.slice(0, 9),
      actions: IPV4.slice(9),
      domains: { website: ['*.example'] },
    }),
    options: { field: wordsFor('GitHub') },
    subjects: ip(IPV4),
  },
  'Azure, service tags': {
    text: json({
      ...{ changeNumber: 1, cloud: 'Public' },
      values: [IPV4.slice(0, 9), IPV4.slice(9)].map((addressPrefixes, at) => ({
        ...{ name: `x${at}`, id: `x${at}` },
        properties: {
          changeNumber: 1,
          region: '',
          platform: 'Azure',
          systemService: 'x',
          addressPrefixes,
          networkFeatures: ['NSG'],
        },
      })),
    }),
    options: { field: wordsFor('Azure') },
    subjects: ip(IPV4),
  },
  'MISP, a warning list': {
    text: json({
      name: 'x',
      type: 'cidr',
      version: 1,
      description: 'x',
      matching_attributes: ['ip-src'],
      list: ADDRESSES,
    }),
    options: { field: wordsFor('a warning list') },
    subjects: ip(ADDRESSES),
  },
  'MISP, events': {
    text: json({
      response: [
        {
          Event: {
            id: '1',
            published: true,
            disable_correlation: false,
            protected: false,
            Attribute: IPV4.map((value) => ({
              type: 'ip-dst',
              category: 'Network activity',
              to_ids: true,
              deleted: false,
              value,
              comment: '',
            })),
          },
        },
      ],
    }),
    options: { field: wordsFor('events of MISP') },
    subjects: ip(IPV4),
  },
  'Oracle Cloud': {
    text: json({
      last_updated_timestamp: 'x',
      regions: [{ region: 'x', cidrs: IPV4.map((cidr) => ({ cidr, tags: ['OCI'] })) }],
    }),
    options: { field: wordsFor('Oracle') },
    subjects: ip(IPV4),
  },
  Fastly: {
    text: json({ addresses: IPV4, ipv6_addresses: ADDRESSES.filter((value) => value.includes(':')) }),
    options: { field: wordsFor('Fastly') },
    subjects: ip(ADDRESSES),
  },
  Cloudflare: {
    text: json({
      result: { ipv4_cidrs: IPV4, ipv6_cidrs: ['2400:cb00::/32'], etag: 'x' },
      success: true,
      errors: [],
      messages: [],
    }),
    options: { field: wordsFor('Cloudflare') },
    subjects: ip([...IPV4, '2400:cb00::/32']),
  },
  Atlassian: {
    text: json({
      creationDate: 'x',
      syncToken: 1,
      items: IPV4.map((cidr) => ({
        network: cidr.split('/')[0],
        mask_len: cidr.includes('/') ? 24 : 32,
        cidr,
        region: ['x'],
      })),
    }),
    options: { field: wordsFor('Atlassian') },
    subjects: ip(IPV4),
  },
  'Feodo Tracker': {
    text: json(
      SINGLE.map((ip_address) => ({
        ip_address,
        port: 443,
        status: 'online',
        hostname: null,
        as_number: 1,
        malware: 'x',
        last_online: '2026-01-01',
      })),
    ),
    options: { field: wordsFor('Feodo') },
    subjects: ip(SINGLE),
  },
  ThreatFox: {
    text: json(
      Object.fromEntries(
        SINGLE.map((value, id) => [
          id,
          [
            {
              ioc_value: value.includes(':') ? `[${value}]:80` : `${value}:80`,
              ioc_type: 'ip:port',
              threat_type: 'botnet_cc',
              confidence_level: 100,
            },
          ],
        ]),
      ),
    ),
    options: { field: wordsFor('ThreatFox') },
    subjects: ip(SINGLE),
  },
  Tor: {
    text: json({
      version: '8.0',
      relays_published: 'x',
      relays: SINGLE.map((value) => ({ nickname: 'x', exit_addresses: [value] })),
      bridges: [],
    }),
    options: { field: wordsFor('Tor') },
    subjects: ip(SINGLE),
  },
  'nftables, a set as JSON': {
    text: json({
      nftables: [
        { metainfo: { version: '1.0.6' } },
        {
          set: {
            family: 'inet',
            name: 'bad',
            table: 'filter',
            type: 'ipv4_addr',
            handle: 2,
            elem: ADDRESSES.map((value) => nftElement(value)),
          },
        },
      ],
    }),
    subjects: ip(ADDRESSES),
  },
  'a log as NDJSON': {
    text: lines(SINGLE, (value) => JSON.stringify({ ts: 1, src: { ip: value, port: 1 }, message: 'x' })),
    options: { field: wordsFor('NDJSON') },
    subjects: ip(SINGLE),
  },
  'a plain list of domains, with all below some': {
    text: lines(NAMES, (name, at) =>
      at % 4 === 0 ? `.${name}` : at % 4 === 1 ? `${name.toUpperCase()} # seen` : name,
    ),
    options: { kind: 'host' },
    subjects: host(NAMES.flatMap((name, at) => (at % 4 === 0 ? [name, `*.${name}`] : [name]))),
  },
};

describeNewer('a published list', () => {
  for (const [what, { text, options, subjects }] of Object.entries(PUBLISHED))
    it(`comes out whole, and as nothing else: ${what}`, async () => {
      const { error, said, subjects: found } = await collected(bytesOf(text()), options);
      assert.equal(error, undefined, said.slice(0, 5).join('\n'));
      const wanted = new Set(subjects);
      assert.deepEqual(found.filter((subject) => !wanted.has(subject)).slice(0, 5), []);
      assert.equal(new Set(found).size, wanted.size);
    });

  it('has its words in the docs, and no words there are untried', () => {
    const rows = FORMATS_PAGE.split('\n').filter((line) => line.startsWith('|') && line.includes('`--field '));
    const tried = Object.values(PUBLISHED).flatMap(({ options }) => options?.field ?? []);
    assert.deepEqual(rows.map((row) => wordsIn(row)).sort(), [...new Set(tried)].sort());
  });
});

/** An element of a set with intervals: of a network its prefix, of some a timeout. */
function nftElement(value: string): unknown {
  const [addr, len] = value.split('/');
  if (len !== undefined) return { prefix: { addr, len: Number(len) } };
  return value.endsWith('1') ? { elem: { val: value, timeout: 3600, expires: 60 } } : value;
}

/** What the docs say to type for a source. */
function wordsFor(source: string): string {
  const row = FORMATS_PAGE.split('\n').find((line) => line.startsWith(`| ${source}`) && line.includes('`--field '));
  assert.ok(row !== undefined, source);
  return wordsIn(row);
}

function wordsIn(row: string): string {
  return /`--field '?([^'`]+)'?`/.exec(row)?.[1] ?? '';
}

async function* bytesOf(pieces: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}
