import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseEntry, type StoredEntry } from '../../../blocklist/entry.ts';
import { CliError } from '../../../cli/exit/cli-error.ts';
import type { FormatName } from '../../../cli/formats/formats.ts';
import { readFeed } from '../../../cli/formats/read-feed.ts';
import { WRITTEN_FORMATS, type WrittenFormat, writeFeed } from '../../../cli/formats/write-feed.ts';
import { formatSubject, parseSubject } from '../../../contract/subject.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');

/** Text as it can stand in the table, with all that files have a meaning for. */
const text = fc.string({ unit: fc.constantFrom(...'aZ0 ,;"\'\\#=+-@＝{}[]:é😀'), maxLength: 20 });
const value = fc.string({ unit: fc.constantFrom(...'aB9 ,;"\'\\#-.=é😀'), minLength: 1, maxLength: 20 });
const subject = fc
  .oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('198.51.100.0/24', '2001:db8::/32', 'host:evil.example', 'asn:64500', 'method:POST'),
    value.map((agent) => `ua:${agent}`),
    value.map((agent) => `header.x-agent:${agent}`),
  )
  .map((written) => formatSubject(parseSubject(written)));
const entry: fc.Arbitrary<StoredEntry> = fc
  .record(
    {
      subject,
      list: fc.constantFrom('manual', 'spamhaus-drop', 'a.b_c'),
      action: fc.constantFrom('allow', 'deny', 'tarpit', 'drop', 'tag', 'log'),
      reason: text,
      note: text,
      createdBy: text,
      createdAt: text,
      status: fc.constantFrom(403, 429),
      expiresAt: fc.nat(253_402_300_799),
      vars: fc.constantFrom({}, { 'req.set.x-why': 'a, "b"' }, { body: 'x', backend: 'slow' }),
    },
    { requiredKeys: ['subject', 'list', 'action'], noNullPrototype: true },
  )
  .map((made): StoredEntry => made)
  .filter((made) => 'entry' in parseEntry(made));

describe('a written feed', () => {
  for (const format of ['csv', 'json', 'ndjson'] as const) {
    it(`in ${format} is read as the same entries, every attribute of them`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(entry), async (entries) => {
          assert.deepEqual(await readBack(format, await written(format, entries)), entries);
        }),
      );
    });
  }

  it('in csv has no cell that a spreadsheet takes for a formula, and none that is changed for nothing', async () => {
    const begin = fc.constantFrom('=', '+', '-', '@', "'=", "''+", ' =', '＝', "'", 'a', '"=');
    await fc.assert(
      fc.asyncProperty(begin, text, async (beginning, rest) => {
        const note = `${beginning}${rest}`;
        const [, row = ''] = (await written('csv', [{ ...made('ip:203.0.113.7', 'deny'), note }])).split('\n');
        const cell = row.split(/^[^,]*,[^,]*,[^,]*,[^,]*,/)[1] ?? '';
        assert.doesNotMatch(cell, /^"?\s*[=+\-@＝]/);
        if (/^['\s]*[a-z]/i.test(note)) assert.equal(/^"?('*)/.exec(cell)?.[1], /^'*/.exec(note)?.[0], cell);
      }),
    );
    const typed = `subject,note\nip:203.0.113.7,'=1+1\nip:203.0.113.8,'tis\nip:203.0.113.9,"'-x, y"\n`;
    assert.deepEqual(
      (await readBack('csv', typed)).map(({ note }) => note),
      ['=1+1', "'tis", '-x, y'],
    );
  });

  it('in plain has what is blocked, and the rest as comments', async () => {
    const text = await written('plain', [
      made('ip:203.0.113.7', 'deny'),
      made('ip:203.0.113.8', 'allow'),
      made('ip:198.51.100.0/24', 'drop'),
      made('host:evil.example', 'tarpit'),
      made('ip:203.0.113.9', 'log'),
    ]);
    assert.equal(text, '203.0.113.7\n# allow: 203.0.113.8\n198.51.100.0/24\nhost:evil.example\n# log: 203.0.113.9\n');
    assert.deepEqual(
      (await readBack('plain', text)).map(({ subject }) => subject),
      ['ip:203.0.113.7', 'ip:198.51.100.0/24', 'host:evil.example'],
    );
  });

  for (const format of ['plain', 'haproxy'] as const) {
    it(`in ${format} is read as the same subjects, or refused`, async () => {
      await fc.assert(
        fc.asyncProperty(subject, async (subject) => {
          const text = await written(format, [made(subject, 'deny')]).catch((error: unknown) => error);
          if (text instanceof CliError) assert.match(subject, /\s/);
          else assert.deepEqual((await readBack(format, String(text)))[0]?.subject, subject);
        }),
      );
    });
  }

  it('in haproxy is a map of addresses to actions', async () => {
    const text = await written('haproxy', [made('ip:203.0.113.7', 'deny'), made('host:good.example', 'allow')]);
    assert.equal(text, '203.0.113.7 deny\nhost:good.example allow\n');
    assert.deepEqual(await readBack('haproxy', text), [
      { subject: 'ip:203.0.113.7', action: 'deny' },
      { subject: 'host:good.example', action: 'allow' },
    ]);
  });

  it('in aws-waf has networks only, also for single addresses', async () => {
    const text = await written('aws-waf', [
      made('ip:203.0.113.7', 'deny'),
      made('ip:2001:db8::7', 'deny'),
      made('ip:198.51.100.0/24', 'deny'),
    ]);
    assert.deepEqual(JSON.parse(text), { Addresses: ['203.0.113.7/32', '2001:db8::7/128', '198.51.100.0/24'] });
    await assert.rejects(written('aws-waf', [made('host:a.example', 'deny')]), /"host:a\.example" has no address/);
    await assert.rejects(written('aws-waf', [made('ip:203.0.113.7', 'allow')]), /has action allow/);
  });

  it('without entries is a file of its format', async () => {
    const files = await Promise.all(WRITTEN_FORMATS.map((format) => written(format, [])));
    assert.deepEqual(files, [
      '',
      'subject,list,action,reason,note,status,expiresAt,vars,createdBy,createdAt\n',
      '[]\n',
      '',
      '',
      '{"Addresses":[]}\n',
    ]);
  });
});

function made(subject: string, action: StoredEntry['action']): StoredEntry {
  return { subject, list: 'manual', action };
}

async function written(format: WrittenFormat, entries: readonly StoredEntry[]): Promise<string> {
  const each = async function* () {
    yield* entries;
  };
  return (await Array.fromAsync(writeFeed(format, each()))).join('');
}

async function readBack(format: FormatName, text: string) {
  const bytes = async function* () {
    yield Buffer.from(text);
  };
  const feed = await readFeed(bytes(), { format, name: 'written', nowMs });
  return (await Array.fromAsync(feed.lines)).map((line) => {
    assert.ok('entry' in line, JSON.stringify(line));
    return line.entry;
  });
}
