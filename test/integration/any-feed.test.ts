import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { parseEntry } from '../../blocklist/entry.ts';
import type { Item } from '../../blocklist/store.ts';
import { EXIT } from '../../cli/exit/cli-error.ts';
import { temporaryFolder } from '../support/config-file.ts';
import { blocklistAt, localTable } from '../support/local-table.ts';
import { manyRuns } from '../support/many-runs.ts';
import { longRuns } from '../support/scope.ts';

/** Each is an import and two syncs of a feed that nobody has seen before. */
const FEEDS = longRuns(3000, 40);

const ACTIONS = ['allow', 'deny', 'tarpit', 'drop', 'redirect', 'route', 'tag', 'log', 'block', 'Allow', 'accept', ''];
const address = fc.oneof(
  { weight: 12, arbitrary: fc.nat(255).map((last) => `203.0.113.${last}`) },
  fc.constantFrom('198.51.100.0/24', '2001:db8::7', '2001:db8::/32', '10.1.2.3', '127.0.0.1', '0.0.0.0/0', '8.0.0.0/7'),
  fc.constantFrom('::ffff:127.0.0.1', '::1', '203.0.113.4 - 203.0.113.9', '!203.0.113.7', '203.0.113.7/24', '::/0'),
);
const subject = fc.oneof(
  { weight: 12, arbitrary: address },
  fc.constantFrom(
    'ip:203.0.113.7',
    'host:shop.example',
    'host:*.com',
    'path:/login',
    'path:/*',
    'country:XX',
    'asn:64500',
  ),
  fc.constantFrom(
    'ua:Bot/1.0 ; x',
    'header.x-a:b # c',
    'cookie.s:1',
    'key:secret',
    'method:GET',
    'ja4:x',
    'IP:203.0.113.7',
  ),
);
const word = fc.constantFrom(
  ...ACTIONS,
  'ban',
  'captcha',
  'whitelist',
  '1',
  '0',
  'true',
  'false',
  'null',
  '24',
  '=cmd|x',
);
const odd = fc.constantFrom(
  '\u0000',
  '\u001b[2J',
  '\u009b',
  '\u202e',
  '\ufeff',
  '\r',
  '\t',
  '"',
  "'",
  ';',
  '#',
  '\\',
  '\u2028',
  'é',
);
const vars = fc.dictionary(
  fc.constantFrom(
    'location',
    'backend',
    'split',
    'body',
    'path',
    'req.set.x-user',
    'res.del.content-security-policy',
    'x',
  ),
  fc.constantFrom('https://elsewhere.example/', '/x', 'a', 'a=50', '1'),
  { noNullPrototype: true, maxKeys: 3 },
);

/** Names that are ours, those of others that mean something, and some that nobody has. */
const name = fc.oneof(
  fc.constantFrom('subject', 'value', 'ip', 'cidr', 'address', 'ipAddress', 'Addresses', 'range', 'start_ip', 'end_ip'),
  fc.constantFrom(
    'action',
    'Action',
    'type',
    'status',
    'vars',
    'list',
    'scope',
    'reason',
    'note',
    'createdBy',
    'shadow',
  ),
  fc.constantFrom(
    'subnet',
    'mask',
    'negated',
    'enabled',
    'expires',
    'duration',
    'expiresAt',
    'unlessAllowed',
    '__proto__',
  ),
  fc.string({ maxLength: 6 }),
);
const scalar = fc.oneof(
  subject,
  word,
  odd,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(302, 403, 429, 24, 1_900_000_000, '2030-01-01T00:00:00Z', '4h', '255.255.255.0'),
);
const harmless = fc.record({ ip: address, reason: fc.constant('scanner') });
const hostile = fc
  .record(
    {
      ip: address,
      subject,
      action: word,
      status: fc.constantFrom(302, 403, 429, 'online'),
      vars,
      reason: fc.oneof(word, odd, fc.string()),
      more: fc.dictionary(name, fc.oneof(scalar, vars, fc.array(scalar, { maxLength: 2 })), { maxKeys: 3 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .map(({ more, ...own }): Readonly<Record<string, unknown>> => ({ ...own, ...more }));
/** Right but for one thing, which is all that keeps it from being written. */
const nearly = fc.oneof(
  fc.record({ ip: address, status: fc.constantFrom(403, 429) }),
  fc.record({ ip: address, vars: fc.constantFrom({ body: 'x' }, { 'res.del.server': '1' }) }),
  fc.record({ ip: address, action: fc.constantFrom('allow', 'tarpit', 'drop', 'tag', 'log') }),
  fc.record({ subject }),
);
const record: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.oneof(
  { weight: 6, arbitrary: harmless },
  { weight: 3, arbitrary: nearly },
  { weight: 1, arbitrary: hostile },
);
const records = fc.array(record, { maxLength: 6 });

function csv(rows: readonly Readonly<Record<string, unknown>>[], separator: string): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown) => {
    const text =
      value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    return /[",;\t\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((column) => row[column]))]
    .map((cells) => cells.map(cell).join(separator))
    .join('\n');
}

/** A feed as some format has it: lines of one are mixed into another by `mixed`. */
const feed = fc.oneof(
  fc.array(subject, { maxLength: 8 }).map((lines) => lines.join('\n')),
  fc.array(fc.tuple(subject, fc.oneof(word, odd))).map((lines) => lines.map((pair) => pair.join(' ')).join('\n')),
  fc.array(fc.tuple(subject, word)).map((lines) => lines.map(([key, text]) => `${key} # ${text}`).join('\n')),
  { weight: 2, arbitrary: records.map((items) => JSON.stringify(items)) },
  { weight: 2, arbitrary: records.map((items) => items.map((item) => JSON.stringify(item)).join('\n')) },
  fc.tuple(records, fc.constantFrom(',', ';', '\t')).map(([items, separator]) => csv(items, separator)),
  records.map((items) => JSON.stringify({ result: items, success: true })),
  records.map((items) =>
    JSON.stringify({ data: items.map((item) => ({ ipAddress: item.ip, abuseConfidenceScore: 100, ...item })) }),
  ),
  fc
    .tuple(fc.array(subject), record)
    .map(([items, around]) => JSON.stringify({ IPSet: { ...around, Addresses: items } })),
  fc
    .tuple(records, word)
    .map(([items, type]) =>
      JSON.stringify([
        { decisions: items.map((item) => ({ scope: 'Ip', value: item.ip, type, scenario: 'x', ...item })) },
      ]),
    ),
  records.map((items) =>
    [...items.map((item) => ({ cidr: item.ip, sblid: 'SBL1', ...item })), { type: 'metadata', records: items.length }]
      .map((item) => JSON.stringify(item))
      .join('\n'),
  ),
);

/** Cut, spliced with another, or with other bytes in it. */
const mixed = fc.oneof(
  { weight: 6, arbitrary: feed.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.tuple(feed, feed).map((both) => Buffer.from(both.join('\n'))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(feed, fc.nat(), fc.uint8Array({ maxLength: 4 }))
      .map(([text, at, bytes]) => spliced(Buffer.from(text), at, bytes)),
  },
  { weight: 1, arbitrary: fc.tuple(feed, fc.nat()).map(([text, at]) => spliced(Buffer.from(text), at, undefined)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
);

function spliced(text: Buffer, at: number, bytes: Uint8Array | undefined): Buffer {
  const where = at % (text.length + 1);
  if (bytes === undefined) return text.subarray(0, where);
  return Buffer.concat([text.subarray(0, where), bytes, text.subarray(where)]);
}

const ending = fc.constantFrom('txt', 'csv', 'json', 'ndjson', 'acl', 'map', 'netset', 'list');

describe('whatever bytes a feed has', async () => {
  const { endpoint } = await localTable({ after });
  const store = blocklistAt(endpoint);
  const run = manyRuns({ after }, endpoint);
  let lists = 0;
  let written = 0;

  it('only denies of the kind of the list are written, inside the bounds, or nothing', async (t) => {
    const folder = temporaryFolder(t);
    await fc.assert(
      fc.asyncProperty(mixed, mixed, ending, fc.boolean(), async (first, second, ending, skipsInvalid) => {
        const list = `any-${++lists}`;
        const file = join(folder, `feed.${ending}`);
        const skip = skipsInvalid ? ['--max-invalid', '100%', '--skip-protected'] : [];
        writeFileSync(file, first);
        await runs('import', file, '--list', list, ...skip);
        await runs('sync', file, '--list', list, '--yes', ...skip);
        writeFileSync(file, second);
        await runs('sync', file, '--list', list, '--yes', ...skip);

        async function runs(...args: string[]): Promise<void> {
          const before = await itemsOf(list);
          const { status, said } = await run(...args);
          const items = await itemsOf(list);
          assert.ok(status === EXIT.done || status === EXIT.failed || status === EXIT.skipped, said);
          assert.ok(!/^ {4}at /m.test(said), said);
          if (status === EXIT.failed) assert.deepEqual(items, before, said);
          for (const item of items) assertHarmless(item);
          written += items.length;
        }
      }),
      { numRuns: FEEDS },
    );
    assert.ok(written > FEEDS, `only ${written} entries were written`);
  });

  it('a list of agents has agents alone', async (t) => {
    const folder = temporaryFolder(t);
    await fc.assert(
      fc.asyncProperty(mixed, ending, async (bytes, ending) => {
        const list = `agents-${++lists}`;
        const file = join(folder, `feed.${ending}`);
        writeFileSync(file, bytes);
        await run('import', file, '--list', list, '--kind', 'ua', '--max-invalid', '100%', '--skip-protected');
        for (const item of await itemsOf(list)) {
          assert.match(String(item.subject), /^ua:/);
          assert.equal(item.action, 'deny');
        }
      }),
      { numRuns: Math.ceil(FEEDS / 3) },
    );
  });

  async function itemsOf(list: string): Promise<Item[]> {
    return Array.fromAsync(store.entries.ofList(list));
  }
});

/** What the command says that was typed: a deny of an address, with nothing beside but texts and an end. */
function assertHarmless(item: Item): void {
  const shown = JSON.stringify(item);
  const { subject, list, action, reason, note, expiresAt, createdBy, createdAt, ...more } = item;
  assert.deepEqual([action, more], ['deny', {}], shown);
  const [, address = '', length] = /^ip:([\d.]+|[\da-f:.]+)(?:\/(\d+))?$/.exec(String(subject)) ?? [];
  assert.ok(address !== '', shown);
  assert.ok(!/^(10|127)\.|^0\.0\.0\.0|^::1?$|^::ffff/.test(address), shown);
  assert.ok(length === undefined || Number(length) >= (address.includes(':') ? 16 : 8), shown);
  assert.ok('entry' in parseEntry(item), shown);
  assert.ok(String(reason ?? '').length <= 200, shown);
}
