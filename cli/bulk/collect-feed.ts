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
import { type MaxInvalid, mostInvalid } from './max-invalid.ts';
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
  /** How many invalid lines are skipped; undefined for none. */
  readonly maxInvalid: MaxInvalid | undefined;
  /** Whether entries that `guard` refuses are skipped. */
  readonly skipProtected: boolean;
  readonly trust: TrustedAttributes;
  /** With `--contains`. */
  readonly names?: Names | undefined;
  /** Whether only errors are reported. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  report(line: string): void;
}

/** How many lines of a source were skipped. */
export interface Skipped {
  readonly invalid: number;
  readonly protected: number;
}

/** The same for `--json`: all of them, and how many of these were protected. */
export function skippedJson(skipped: Skipped): object {
  return { skipped: skipped.invalid + skipped.protected, protected: skipped.protected };
}

/** Reads a whole feed before anything is written, so that a feed that fails leaves the table unchanged. */
export async function collectFeed(wanted: DesiredEntries, options: CollectOptions): Promise<Skipped> {
  const { feed, name, guard, maxInvalid, skipProtected, trust, names, quiet, signal, report, nowMs } = options;
  let bad = 0;
  let protectedOnes = 0;
  let expired = 0;
  const missing = new Set<string>();
  const exempt = new SourceExemptions();
  const values = new PatternWarning();
  for await (const line of feed.lines) {
    endIfStopped(signal, 'nothing was written');
    const problem = await take(line);
    if (problem === undefined) continue;
    if (problem.isProtected) protectedOnes++;
    else bad++;
    const reported = bad + protectedOnes;
    if (reported > MAX_BAD) throw nothingWritten(`${name} has more than ${MAX_BAD} invalid ${feed.unit}s`);
    if (reported <= MAX_REPORTED) report(`${name}:${line.line}: ${problem.text}`);
  }
  const refused = bad + protectedOnes;
  if (refused > MAX_REPORTED) report(`${name}: and ${plural(refused - MAX_REPORTED, `more ${feed.unit}`)}`);
  if (expired > 0) report(`${name}: ${plural(expired, 'expired entry')} skipped`);
  const remarks = [...feed.remarks, ...(names === undefined ? [] : [names.remark()])];
  for (const remark of quiet ? [] : remarks) report(`${name}: ${remark}`);
  const pattern = values.warning();
  if (pattern !== undefined) warn(pattern);
  const lines = refused + expired + wanted.count;
  const most = maxInvalid === undefined ? 0 : mostInvalid(maxInvalid, lines);
  const isNothingLeft = refused > 0 && wanted.count === 0;
  if (bad > most || (bad > 0 && isNothingLeft))
    throw nothingWritten(
      `${bad} of ${plural(lines, feed.unit)} cannot be read${bound(most)}; ${remedy()}${alsoProtected()}`,
    );
  if (protectedOnes > 0 && (!skipProtected || isNothingLeft)) {
    const skip = isNothingLeft ? 'no others are left' : 'skip them with --skip-protected, or write them with --force';
    throw nothingWritten(`${protectedOnes} of ${plural(lines, feed.unit)} would block what is protected: ${skip}`);
  }
  if (bad > 0) await refuseMisread();
  return { invalid: bad, protected: protectedOnes };

  function bound(most: number): string {
    return maxInvalid === undefined || bad <= most ? '' : `, and at most ${most} are skipped`;
  }

  function remedy(): string {
    if (maxInvalid !== undefined && bad > most && wanted.count > 0)
      return `fix them, or skip more with --max-invalid${trustHint()}`;
    const skip = maxInvalid === undefined ? 'fix them, or skip them with --skip-invalid' : 'fix them';
    return `${skip}${trustHint()}`;
  }

  function alsoProtected(): string {
    if (protectedOnes === 0 || skipProtected) return '';
    return `; ${protectedOnes} more would block what is protected, which --skip-protected skips`;
  }

  function trustHint(): string {
    return missing.size === 0 ? '' : `; to trust the source with it: --trust ${trust.with(missing)}`;
  }

  /** Throws if a skipped line may exempt a subject that another line blocks. */
  async function refuseMisread(): Promise<void> {
    await exempt.assertNotBlocked(wanted);
    if (!wanted.has('allow')) return;
    throw nothingWritten(
      `the source exempts subjects, and ${plural(bad, feed.unit)} of it cannot be read: --skip-invalid does not apply to such a source`,
    );
  }

  async function take(line: FeedLine): Promise<Refusal | undefined> {
    if ('problem' in line) {
      if (line.exempt !== undefined) exempt.add(line.exempt);
      return invalid(line.problem.includes(line.text) ? line.problem : `"${line.text}": ${line.problem}`);
    }
    const { subject, action } = line.entry;
    const judged = trust.judge(line.entry);
    if ('missing' in judged) {
      if (missing.size < MAX_REPORTED) for (const word of judged.missing) missing.add(word);
      if (action === 'allow') exempt.add(subject);
      return invalid(`${printable(subject)}: a source may not set ${judged.missing.join(', ')} without --trust`);
    }
    const named = names?.read(judged.entry) ?? judged;
    if ('problem' in named) return invalid(named.problem);
    const parsed = wanted.parse(named.entry);
    if ('problem' in parsed) return invalid(`${printable(subject)}: ${parsed.problem}`);
    const problem = guard?.problemOf(parsed.entry);
    if (problem !== undefined) return { text: problem, isProtected: true };
    values.add(parsed.entry.subject);
    if (isExpired(parsed.entry, nowMs / 1000)) expired++;
    else await wanted.add(parsed.entry);
    return undefined;
  }
}

/** Why a line is not taken. */
interface Refusal {
  readonly text: string;
  readonly isProtected: boolean;
}

function invalid(text: string): Refusal {
  return { text, isProtected: false };
}

function nothingWritten(why: string): CliError {
  return new CliError(EXIT.failed, `nothing was written: ${why}`);
}
