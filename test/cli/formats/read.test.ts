import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CliError } from '../../../cli/exit/cli-error.ts';
import { networksOfRange, parseAddressRange } from '../../../cli/formats/address-ranges.ts';
import { FORMAT_NAMES } from '../../../cli/formats/formats.ts';
import { parseGoDuration } from '../../../cli/formats/go-duration.ts';
import { linesOf, MAX_LINE_LENGTH } from '../../../cli/formats/lines.ts';
import { type FeedOptions, readFeed } from '../../../cli/formats/read-feed.ts';
import { formatNetwork } from '../../../contract/address.ts';
import { longRuns } from '../../support/scope.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const MIB = 1024 * 1024;
/** More than may be resident for it. */
const LONG_FEED_BYTES = longRuns(1024, 256) * MIB;
const MOST_BYTES = 200 * MIB;

describe('lines', () => {
  it('are the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('a', '\n', '\r', 'é', '€', '😀') }),
        fc.nat(5),
        async (text, size) => {
          const found = (await Array.fromAsync(linesOf(pieces(Buffer.from(text), size + 1)))).flat();
          const expected = text.split('\n');
          if (expected.at(-1) === '') expected.pop();
          assert.deepEqual(
            found,
            expected.map((line, index) => ({ line: index + 1, text: line, isCut: false })),
          );
        },
      ),
    );
  });

  it('are cut where no entry is longer, and the next one is whole', async () => {
    const bytes = Buffer.from(`${'x'.repeat(MAX_LINE_LENGTH)}\n${'y'.repeat(MAX_LINE_LENGTH + 1)}\nz`);
    const found = (await Array.fromAsync(linesOf(pieces(bytes, 1000)))).flat();
    assert.deepEqual(
      found.map(({ line, text, isCut }) => [line, text.length, text[0], isCut]),
      [
        [1, MAX_LINE_LENGTH, 'x', false],
        [2, MAX_LINE_LENGTH, 'y', true],
        [3, 1, 'z', false],
      ],
    );
  });
});

describe('a range', () => {
  it('is exactly the addresses of its networks, in order', () => {
    fc.assert(
      fc.property(fc.nat(0xffffff), fc.nat(5000), (start, length) => {
        const first = 0xc0000000 + start;
        const range = parseAddressRange(`${dotted(first)} - ${dotted(first + length)}`);
        assert.ok(range !== undefined);
        let next = first;
        for (const { bytes, prefix } of networksOfRange(range)) {
          const size = 2 ** (32 - prefix);
          assert.equal(bytes.join('.'), dotted(next));
          assert.equal(next % size, 0);
          next += size;
        }
        assert.equal(next, first + length + 1);
      }),
    );
  });

  it('is as few networks as can be', () => {
    const networks = (text: string) => {
      const range = parseAddressRange(text);
      return range === undefined ? undefined : networksOfRange(range).map(formatNetwork);
    };
    assert.deepEqual(networks('10.0.0.0-10.255.255.255'), ['10.0.0.0/8']);
    assert.deepEqual(networks('0.0.0.0-255.255.255.255'), ['0.0.0.0/0']);
    assert.deepEqual(networks('2001:db8:: - 2001:db8::1:ffff:ffff:ffff'), ['2001:db8::/79']);
    assert.equal(networks('10.0.0.1'), undefined);
    assert.equal(networks('ua:a-b'), undefined);
    assert.equal(networks('10.0.0.1-10.0.0.2-10.0.0.3'), undefined);
  });
});

describe('a duration of CrowdSec', () => {
  it('is read as Go writes it', () => {
    const texts = ['3h59m12.5s', '168h0m0s', '1.5h', '100ms', '5µs', '-1m30s', '7d', '0s', '.5s'];
    assert.deepEqual(
      texts.map(parseGoDuration),
      [14_352_500, 604_800_000, 5_400_000, 100, 0.005, -90_000, 604_800_000, 0, 500],
    );
  });

  it('is nothing else', () => {
    for (const text of ['', '-', '4', 'h', '4 h', '4h ', '1h2x', '4H', '1e3s', '999999999999h', '--1s', '.s'])
      assert.equal(parseGoDuration(text), undefined, text);
  });
});

describe('a feed', () => {
  for (const format of FORMAT_NAMES) {
    it(`of hostile bytes read as ${format} is entries, problems or one line`, async () => {
      const word = fc.constantFrom(
        '203.0.113.7',
        ' ',
        '\n',
        '"',
        ',',
        '{',
        '}',
        '[',
        ']',
        ':',
        '\0',
        '\u001b[2J',
        '#',
        '"subject"',
        '"data"',
        '__proto__',
        '-',
        '/0',
      );
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(word).map((words) => Buffer.from(words.join(''))),
        fc.json().map((text) => Buffer.from(text)),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (hostile) => {
          for (const said of await everythingSaid(hostile, { format, name: 'hostile', nowMs }))
            assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(said), JSON.stringify(said));
        }),
      );
    });
  }

  for (const format of FORMAT_NAMES) {
    it(`of JSON that is 100,000 deep read as ${format} does not end the program`, async () => {
      const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      const items = [
        deep,
        `[${deep},{"subject":${deep}},{"subject":"203.0.113.7","action":${deep}},{"value":"x","scope":${deep}}]`,
        `{"data":${deep}}`,
        `{"Addresses":[${deep}]}`,
        `[{"decisions":${deep}}]`,
        `[{"subject":"203.0.113.7","vars":{"location":${deep}}}]`,
      ];
      for (const item of items) await everythingSaid(Buffer.from(item), { format, name: 'deep', nowMs }, MIB);
    });
  }

  it('that is a document has an end, and says so', async () => {
    const endless = async function* () {
      yield Buffer.from('["203.0.113.7"');
      for (;;) yield Buffer.alloc(MIB, ' ');
    };
    const feed = await readFeed(endless(), { name: 'endless', nowMs });
    await assert.rejects(
      Array.fromAsync(feed.lines),
      new CliError(
        1,
        'endless: a JSON document of more than 64 MiB is not read: write it as NDJSON, one object per line',
      ),
    );
  });

  it('of lines may be longer than memory', async () => {
    let made = 0;
    const long = async function* () {
      const chunk = Buffer.from(`# ${'nothing but a comment '.repeat(400)}\n`.repeat(16));
      for (; made < LONG_FEED_BYTES; made += chunk.length) yield chunk;
      yield Buffer.from('203.0.113.7');
    };
    const before = process.memoryUsage().rss;
    const feed = await readFeed(long(), { name: 'long', nowMs });
    const found = await Array.fromAsync(feed.lines);
    assert.equal(found.length, 1);
    assert.ok(process.memoryUsage().rss - before < MOST_BYTES);
  });

  it('without line ends is one problem', async () => {
    const long = async function* () {
      for (let made = 0; made < 64 * MIB; made += MIB) yield Buffer.alloc(MIB, '9');
    };
    for (const format of ['plain', 'ndjson', 'spamhaus', 'haproxy'] as const) {
      const feed = await readFeed(long(), { format, name: 'long', nowMs });
      const [first] = await Array.fromAsync(feed.lines);
      assert.ok(first !== undefined && 'problem' in first && first.problem.startsWith('is longer than'));
    }
  });

  it('loses only the line with a quote that is never closed', async () => {
    const rows = Array.from({ length: 5000 }, (_, index) => `203.0.113.${index % 256},x\n`).join('');
    const feed = await readFeed(pieces(Buffer.from(`ip,reason\n192.0.2.1,"open\n${rows}`), 4096), {
      name: 'a.csv',
      nowMs,
    });
    const found = await Array.fromAsync(feed.lines);
    assert.equal(found.filter((line) => 'entry' in line).length, 5000);
    assert.deepEqual(
      found.filter((line) => 'problem' in line).map(({ line }) => line),
      [2],
    );
  });

  it('that is refused is closed', async () => {
    let closed = false;
    const page = async function* () {
      try {
        for (;;) yield Buffer.from('<!doctype html>'.repeat(1000));
      } finally {
        closed = true;
      }
    };
    await assert.rejects(readFeed(page(), { name: 'page', nowMs }), /is an HTML page/);
    assert.ok(closed);
  });

  it('has scores only from AbuseIPDB, and values only of kinds there are', async () => {
    const options = { name: 'list.txt', nowMs };
    await assert.rejects(
      readFeed(pieces(Buffer.from('203.0.113.7'), 9), { ...options, minScore: 5 }),
      /only abuseipdb/,
    );
    await assert.rejects(readFeed(pieces(Buffer.from('203.0.113.7'), 9), { ...options, kind: 'it' }), /not a kind/);
  });
});

/** Texts and problems of the lines and the remarks, or the error. */
async function everythingSaid(bytes: Uint8Array, options: FeedOptions, pieceBytes = 7): Promise<string[]> {
  try {
    const feed = await readFeed(pieces(bytes, pieceBytes), options);
    const lines = await Array.fromAsync(feed.lines);
    return [...lines.flatMap((line) => ('entry' in line ? [] : [line.text, line.problem])), ...feed.remarks];
  } catch (error) {
    if (error instanceof CliError) return [error.message];
    throw error;
  }
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
