import { shown } from '../../contract/shown.ts';
import { isExpired } from '../../functions/blocklist/entry.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Feed, FeedLine } from '../formats/feed.ts';
import { endIfStopped } from '../interrupt.ts';
import type { ProtectedSet } from '../protected.ts';
import type { WantedEntries } from './wanted.ts';

/** Lines told one by one; of more only the number is told. */
const MAX_TOLD = 20;
/** More are no list with mistakes in it but something else, which is not read to its end. */
const MAX_BAD = 100_000;

export interface GatherOptions {
  /** An entry that is over by then is not wanted. */
  readonly nowMs: number;
  readonly feed: Feed;
  /** Where the feed is from, for messages. */
  readonly name: string;
  /** Undefined with `--force`. */
  readonly guard: ProtectedSet | undefined;
  readonly skipBad: boolean;
  readonly signal: AbortSignal;
  tell(line: string): void;
}

/**
 * Reads a whole feed before anything is written, so that one that cannot be read leaves the table as it was. Returns how
 * many lines were left out.
 */
export async function gather(wanted: WantedEntries, options: GatherOptions): Promise<number> {
  const { feed, name, guard, skipBad, signal, tell, nowMs } = options;
  let bad = 0;
  let over = 0;
  for await (const line of feed.lines) {
    endIfStopped(signal, 'nothing was written');
    const problem = await take(line);
    if (problem === undefined) continue;
    if (++bad > MAX_BAD)
      throw new CliError(EXIT.failed, `nothing was written: ${name} has more than ${MAX_BAD} bad ${feed.unit}s`);
    if (bad <= MAX_TOLD) tell(`${name}:${line.line}: ${problem}`);
  }
  if (bad > MAX_TOLD) tell(`${name}: and ${bad - MAX_TOLD} more ${feed.unit}s`);
  if (over > 0) tell(`${name}: ${over} entries are over already and left out`);
  for (const remark of feed.remarks) tell(`${name}: ${remark}`);
  if (bad > 0 && !skipBad)
    throw new CliError(
      EXIT.failed,
      `nothing was written: ${bad} of ${bad + wanted.count} ${feed.unit}s cannot be taken; mend them, or leave them out with --skip-bad`,
    );
  return bad;

  async function take(line: FeedLine): Promise<string | undefined> {
    if ('problem' in line) return line.problem.includes(line.text) ? line.problem : `"${line.text}": ${line.problem}`;
    const parsed = wanted.parse(line.entry);
    if ('problem' in parsed) return `${shown(line.entry.subject)}: ${parsed.problem}`;
    const problem = guard?.problemOf(parsed.entry);
    if (problem !== undefined) return problem;
    if (isExpired(parsed.entry, nowMs / 1000)) over++;
    else await wanted.add(parsed.entry);
    return undefined;
  }
}
