import { collectFeed } from '../../cli/bulk/collect-feed.ts';
import { DesiredEntries } from '../../cli/bulk/desired-entries.ts';
import { Names } from '../../cli/bulk/names.ts';
import { TrustedAttributes } from '../../cli/bulk/trusted-attributes.ts';
import { parseJsonPath } from '../../cli/formats/json-path.ts';
import { type FeedOptions, readFeed } from '../../cli/formats/read-feed.ts';
import { protectedSet } from '../../cli/guards/protected.ts';

export interface CollectedOptions extends Partial<Omit<FeedOptions, 'paths' | 'nowMs'>> {
  readonly field?: string;
  /** Skips any number. */
  readonly skipInvalid?: boolean;
  readonly skipProtected?: boolean;
  readonly contains?: boolean;
}

/** What an import makes of a source, without the table. */
export interface Collected {
  readonly subjects: readonly string[];
  readonly notes: readonly (string | undefined)[];
  readonly reasons: readonly (string | undefined)[];
  readonly ends: readonly (number | undefined)[];
  /** Lines on standard error. */
  readonly said: readonly string[];
  /** Why nothing is written. */
  readonly error: string | undefined;
}

export const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

/** Reads a source as `import` does, with the guards of a host without settings. */
export async function collected(
  source: string | AsyncIterable<Uint8Array>,
  options: CollectedOptions = {},
): Promise<Collected> {
  const {
    name = 'list.txt',
    kind = 'ip',
    field,
    skipInvalid = false,
    skipProtected = false,
    contains = false,
    ...rest
  } = options;
  const wanted = new DesiredEntries({ list: 'a', outcome: { action: 'deny' }, createdBy: 'a@b', createdAt: '' });
  const said: string[] = [];
  let error: string | undefined;
  try {
    const paths = field?.split(',').map((path) => parseJsonPath(path) ?? []);
    const bytes = typeof source === 'string' ? [Buffer.from(source)] : source;
    const feed = await readFeed(iterated(bytes), { name, kind, paths, nowMs: NOW_MS, ...rest });
    await collectFeed(wanted, {
      ...{ feed, name, skipProtected, quiet: false, nowMs: NOW_MS },
      maxInvalid: skipInvalid ? { count: 0, share: 1 } : undefined,
      trust: new TrustedAttributes(kind, []),
      names: contains ? new Names(kind) : undefined,
      guard: protectedSet({ protected: [], protectPrivate: true }, {}),
      signal: new AbortController().signal,
      report: (line) => void said.push(line),
    });
  } catch (caught) {
    error = (caught as Error).message;
  }
  const entries = error === undefined ? await Array.fromAsync(wanted.sorted(), ({ value }) => value) : [];
  await wanted.close();
  return {
    subjects: entries.map(({ subject }) => subject),
    notes: entries.map(({ note }) => note),
    reasons: entries.map(({ reason }) => reason),
    ends: entries.map(({ expiresAt }) => expiresAt),
    said,
    error,
  };
}

async function* iterated(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}
