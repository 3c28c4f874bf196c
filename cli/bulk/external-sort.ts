import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** Lines kept in memory before they are sorted and written to a file: a few megabytes of addresses. */
const LINES_A_RUN = 25000;
/** Above the size of any blocklist; each run is an open file during the merge. */
const MAX_LINES = 20_000_000;

/** A value with its sort key, in the encoding of the sorter; keys of all sorters compare alike. */
export interface Sorted<Value> {
  readonly key: string;
  readonly value: Value;
}

/**
 * Sorts more JSON values than fit into memory, with temporary files that `close` removes. Of values with the same key, the
 * last one added wins.
 */
export class ExternalSort<Value> {
  readonly #linesARun: number;
  #lines: string[] = [];
  #count = 0;
  #folder: string | undefined;
  readonly #runs: string[] = [];

  constructor(linesARun = LINES_A_RUN) {
    this.#linesARun = linesARun;
  }

  /** The number of added values, duplicate keys included. */
  get count(): number {
    return this.#count;
  }

  async add(key: string, value: Value): Promise<void> {
    if (this.#count === MAX_LINES)
      throw new CliError(EXIT.failed, `this is more than the ${MAX_LINES} entries that one run can take`);
    // A JSON string contains no tab and is never a prefix of another, so lines sort by key, then by order of arrival.
    this.#lines.push(`${JSON.stringify(key)}\t${String(this.#count++).padStart(8, '0')}\t${JSON.stringify(value)}`);
    if (this.#lines.length >= this.#linesARun) await this.#spill();
  }

  /** Yields each key once, in order. Can be iterated several times. */
  async *sorted(): AsyncGenerator<Sorted<Value>> {
    let last: Sorted<string> | undefined;
    for await (const line of merged([...this.#runs.map(linesOf), this.#lines.sort()])) {
      const record = recordOf(line);
      if (last !== undefined && last.key !== record.key) yield parsed(last);
      last = record;
    }
    if (last !== undefined) yield parsed(last);
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #spill(): Promise<void> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'haverdict-sort-'));
    const path = join(this.#folder, String(this.#runs.length));
    const out = createWriteStream(path, { mode: 0o600 });
    for (const line of this.#lines.sort()) if (!out.write(`${line}\n`)) await once(out, 'drain');
    out.end();
    await once(out, 'close');
    this.#runs.push(path);
    this.#lines = [];
  }
}

function parsed<Value>({ key, value }: Sorted<string>): Sorted<Value> {
  return { key, value: JSON.parse(value) };
}

function recordOf(line: string): Sorted<string> {
  const end = line.indexOf('\t');
  return { key: line.slice(0, end), value: line.slice(line.indexOf('\t', end + 1) + 1) };
}

/** Splits at line feeds only: `node:readline` also splits at characters that a key can contain. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Merges sorted sequences. */
async function* merged(sources: readonly (AsyncIterable<string> | Iterable<string>)[]): AsyncGenerator<string> {
  const readers = sources.map((source) => readerOf(source));
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  for (;;) {
    let least = -1;
    for (const [index, head] of heads.entries())
      if (head.done !== true && (least < 0 || head.value < (heads[least] as { value: string }).value)) least = index; // in bounds
    if (least < 0) return;
    yield (heads[least] as { value: string }).value; // in bounds: just found
    heads[least] = await (readers[least] as (typeof readers)[number]).next();
  }
}

function readerOf(source: AsyncIterable<string> | Iterable<string>) {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
