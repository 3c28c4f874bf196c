import { isExpired } from '../../blocklist/entry.ts';
import { printable } from '../../contract/printable.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { endIfStopped } from '../exit/interrupt.ts';
import type { FeedLine } from '../formats/feed-line.ts';
import type { Feed } from '../formats/read-feed.ts';
import type { ProtectedSet } from '../guards/protected.ts';
import { warn } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import type { DesiredEntries } from './desired-entries.ts';
import type { Names } from './names.ts';
import { PatternWarning } from './pattern-warning.ts';
import { SourceExemptions } from './source-exemptions.ts';
import type { TrustedAttributes } from './trusted-attributes.ts';

/** Invalid lines reported one by one; of further ones only the number is reported. */
const MAX_REPORTED = 20;
/** With more invalid lines the source is not a list, and reading stops. */
const MAX_BAD = 100_000;

export interface CollectOptions {
  /** Entries that have expired by then are left out. */
  readonly nowMs: number;
  readonly feed: Feed;
  /** File name or URL, for messages. */
  readonly name: string;
  /** Undefined with `--force`. */
  readonly guard: ProtectedSet | undefined;
  readonly skipInvalid: boolean;
  readonly trust: TrustedAttributes;
  /** With `--contains`. */
  readonly names?: Names | undefined;
  /** Whether only errors are reported. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  report(line: string): void;
}

/**
 * Reads a whole feed before anything is written, so that a feed that fails leaves the table unchanged. Returns the number
 * of skipped lines.
 */
export async function collectFeed(wanted: DesiredEntries, options: CollectOptions): Promise<number> {
  const { feed, name, guard, skipInvalid, trust, names, quiet, signal, report, nowMs } = options;
  let bad = 0;
  let expired = 0;
  const missing = new Set<string>();
  const exempt = new SourceExemptions();
  const values = new PatternWarning();
  for await (const line of feed.lines) {
    endIfStopped(signal, 'nothing was written');
    const problem = await take(line);
    if (problem === undefined) continue;
    if (++bad > MAX_BAD)
      throw new CliError(EXIT.failed, `nothing was written: ${name} has more than ${MAX_BAD} invalid ${feed.unit}s`);
    if (bad <= MAX_REPORTED) report(`${name}:${line.line}: ${problem}`);
  }
  if (bad > MAX_REPORTED) report(`${name}: and ${plural(bad - MAX_REPORTED, `more ${feed.unit}`)}`);
  if (expired > 0) report(`${name}: ${plural(expired, 'expired entry')} skipped`);
  const remarks = [...feed.remarks, ...(names === undefined ? [] : [names.remark()])];
  for (const remark of quiet ? [] : remarks) report(`${name}: ${remark}`);
  const pattern = values.warning();
  if (pattern !== undefined) warn(pattern);
  if (bad > 0 && (!skipInvalid || wanted.count === 0))
    throw new CliError(
      EXIT.failed,
      `nothing was written: ${bad} of ${plural(bad + wanted.count, feed.unit)} cannot be read; ${remedy()}`,
    );
  if (bad > 0) await refuseMisread();
  return bad;

  function remedy(): string {
    const skip = skipInvalid ? 'fix them' : 'fix them, or skip them with --skip-invalid';
    return missing.size === 0 ? skip : `${skip}; to trust the source with it: --trust ${trust.with(missing)}`;
  }

  /** Throws if a skipped line may exempt a subject that another line blocks. */
  async function refuseMisread(): Promise<void> {
    await exempt.assertNotBlocked(wanted);
    if (!wanted.has('allow')) return;
    throw new CliError(
      EXIT.failed,
      `nothing was written: the source exempts subjects, and ${plural(bad, feed.unit)} of it cannot be read: --skip-invalid does not apply to such a source`,
    );
  }

  async function take(line: FeedLine): Promise<string | undefined> {
    if ('problem' in line) {
      if (line.exempt !== undefined) exempt.add(line.exempt);
      return line.problem.includes(line.text) ? line.problem : `"${line.text}": ${line.problem}`;
    }
    const { subject, action } = line.entry;
    const judged = trust.judge(line.entry);
    if ('missing' in judged) {
      if (missing.size < MAX_REPORTED) for (const word of judged.missing) missing.add(word);
      if (action === 'allow') exempt.add(subject);
      return `${printable(subject)}: a source may not set ${judged.missing.join(', ')} without --trust`;
    }
    const named = names?.read(judged.entry) ?? judged;
    if ('problem' in named) return named.problem;
    const parsed = wanted.parse(named.entry);
    if ('problem' in parsed) return `${printable(subject)}: ${parsed.problem}`;
    const problem = guard?.problemOf(parsed.entry);
    if (problem !== undefined) return problem;
    values.add(parsed.entry.subject);
    if (isExpired(parsed.entry, nowMs / 1000)) expired++;
    else await wanted.add(parsed.entry);
    return undefined;
  }
}
