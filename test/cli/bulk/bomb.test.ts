import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collectFeed } from '../../../cli/bulk/collect-feed.ts';
import { DesiredEntries } from '../../../cli/bulk/desired-entries.ts';
import { TrustedAttributes } from '../../../cli/bulk/trusted-attributes.ts';
import type { FormatName } from '../../../cli/formats/formats.ts';
import { readFeed } from '../../../cli/formats/read-feed.ts';
import { SCOPE } from '../../support/scope.ts';

/** It would take many minutes what takes less than a second. */
const HANGS_MS = 120_000;

describe('a source that is made to cost time', () => {
  for (const [what, format, begin, line, lines, expected] of [
    // a dozen seconds of a processor
    ...(SCOPE === 'all'
      ? [['of empty lines', 'plain', '', '\n', 21_000_000, /^the source has more than 20000000 lines/] as const]
      : []),
    ['of lines that are wrong', 'plain', '', 'x\n', 110_000, /has more than 100000 invalid lines$/],
    ['of JSON that is none', 'ndjson', '', '[\n', 110_000, /has more than 100000 invalid lines$/],
    ['of quotes that never close', 'csv', 'subject\n', 'x","\n', 30_000, /^nothing/],
    ['of quotes that open anew', 'csv', 'subject\n', '"\n', 30_000, /^nothing/],
  ] as const)
    it(`costs no more than it may: one ${what}`, { timeout: HANGS_MS }, async () => {
      assert.match(await problemOf(format, begin, line, lines), expected);
    });
});

async function problemOf(format: FormatName, begin: string, line: string, lines: number): Promise<string> {
  const common = { list: 'drop', createdBy: 'a@b', createdAt: '2026-01-01T00:00:00.000Z' };
  const wanted = new DesiredEntries({ ...common, outcome: { action: 'deny' } });
  const nowMs = 0;
  try {
    const feed = await readFeed(pieces(begin, line, lines), { name: 'the source', format, nowMs });
    const { signal } = new AbortController();
    const trust = new TrustedAttributes('ip', []);
    const options = {
      feed,
      name: 'the source',
      guard: undefined,
      maxInvalid: { count: 0, share: 1 },
      skipProtected: false,
      quiet: true,
      trust,
      signal,
      nowMs,
    };
    await collectFeed(wanted, { ...options, report: () => {} });
    return 'nothing';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await wanted.close();
  }
}

async function* pieces(begin: string, line: string, lines: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from(begin);
  const piece = Buffer.from(line.repeat(1000));
  for (let left = lines; left > 0; left -= 1000) yield piece;
}
