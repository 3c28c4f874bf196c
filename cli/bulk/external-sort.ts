import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** Lines kept in memory before they are sorted and written to a file: a few megabytes of addresses. */
const LINES_A_RUN = 25000;
/** More than any blocklist has; each run is an open file while they are merged. */
const MAX_LINES = 20_000_000;

/** A value and its key in the one order that all sorters have; the text of a key is the sorter's own. */
export interface Sorted<Value> {
  readonly key: string;
  readonly value: Value;
}

/**
 * Sorts more JSON values than fit into memory: what is over is kept in temporary files, which `close` removes. Of values
 * with the same key the one added last counts.
 */
export class Sorter<Value> {
  readonly #linesARun: number;
  #lines: string[] = [];
  #count = 0;
  #folder: string | undefined;
  readonly #runs: string[] = [];

  constructor(linesARun = LINES_A_RUN) {
    this.#linesARun = linesARun;
  }

  /** How many were added, those with the same key too. */
  get count(): number {
    return this.#count;
  }

  async add(key: string, value: Value): Promise<void> {
    if (this.#count === MAX_LINES)
      throw new CliError(EXIT.failed, `this is more than the ${MAX_LINES} entries that one run can take`);
    // As JSON a key has no tab in it and is no beginning of another: lines sort as keys do, then in order of arrival.
    this.#lines.push(`${JSON.stringify(key)}\t${String(this.#count++).padStart(8, '0')}\t${JSON.stringify(value)}`);
    if (this.#lines.length >= this.#linesARun) await this.#spill();
  }

  /** In the order of keys, each key once. May be walked again. */
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

/** Only a line feed ends a line: `node:readline` takes characters for ends that a key can have. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Sorted sequences as one. */
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
