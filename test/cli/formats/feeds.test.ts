import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CliError } from '../../../cli/exit/cli-error.ts';
import type { FeedLine } from '../../../cli/formats/feed-line.ts';
import { FORMAT_NAMES } from '../../../cli/formats/formats.ts';
import { type FeedOptions, readFeed } from '../../../cli/formats/read-feed.ts';

const folder = join(import.meta.dirname, '../../vectors/feeds');
const nowMs = Date.parse('2026-01-01T00:00:00Z');
const SUFFIX = '.expected.json';

/** What must come out of a sample; written by hand, from what the format says. */
interface Expectation {
  readonly options?: Partial<FeedOptions>;
  readonly format?: string;
  readonly entries?: readonly unknown[];
  readonly problems?: readonly { readonly line: number; readonly says: string }[];
  readonly remarks?: readonly string[];
  /** The beginning of a part of the one error that the whole file is. */
  readonly error?: string;
}

const files = readdirSync(folder).sort();
const samples = files.filter((file) => !file.endsWith(SUFFIX));

describe('the samples of feeds', () => {
  it('have an expectation each, and no expectation is without a sample', () => {
    assert.deepEqual(
      files.filter((file) => file.endsWith(SUFFIX)),
      samples.map((file) => file + SUFFIX),
    );
  });

  it('show every format, well made and broken', () => {
    const expectations = samples.map(expectationOf);
    const good = expectations.filter(({ entries = [] }) => entries.length > 0).map(({ format }) => format);
    const broken = expectations.filter(({ problems }) => problems !== undefined).map(({ format }) => format);
    assert.deepEqual([...new Set(good)].sort(), [...FORMAT_NAMES].sort());
    assert.deepEqual([...new Set(broken)].sort(), [...FORMAT_NAMES].sort());
  });

  for (const sample of samples) {
    it(`reads ${sample} as expected`, () => expectRead(sample, Number.POSITIVE_INFINITY));
    it(`reads ${sample} byte by byte as expected`, () => expectRead(sample, 1));
  }
});

async function expectRead(sample: string, chunkBytes: number): Promise<void> {
  const expected = expectationOf(sample);
  const bytes = chunksOf(readFileSync(join(folder, sample)), chunkBytes);
  const read = readAll(bytes, { name: sample, nowMs, ...expected.options });
  if (expected.error !== undefined) {
    const says = expected.error;
    await assert.rejects(
      read,
      (error) => error instanceof CliError && isOneLine(error.message) && error.message.includes(says),
    );
    return;
  }
  const { feed, lines } = await read;
  assert.equal(feed.format, expected.format);
  assert.deepEqual(
    lines.flatMap((found) => ('entry' in found ? [{ line: found.line, ...found.entry }] : [])),
    expected.entries,
  );
  expectProblems(lines, expected.problems ?? []);
  assert.deepEqual(feed.remarks, expected.remarks ?? []);
}

function expectProblems(lines: readonly FeedLine[], expected: NonNullable<Expectation['problems']>): void {
  const problems = lines.filter((found) => 'problem' in found);
  assert.deepEqual(
    problems.map(({ line }) => line),
    expected.map(({ line }) => line),
    problems.map(({ problem }) => problem).join('\n'),
  );
  for (const [index, { text, problem }] of problems.entries()) {
    assert.ok(isOneLine(text) && isOneLine(problem), `${text}: ${problem}`);
    assert.ok(problem.includes(expected[index]?.says ?? '?'), problem);
  }
}

async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function readAll(bytes: AsyncIterable<Uint8Array>, options: FeedOptions) {
  const feed = await readFeed(bytes, options);
  return { feed, lines: await Array.fromAsync(feed.lines) };
}

function expectationOf(sample: string): Expectation {
  return JSON.parse(readFileSync(join(folder, sample + SUFFIX), 'utf8'));
}

function isOneLine(text: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}
