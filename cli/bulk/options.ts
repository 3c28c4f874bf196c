import { type Command, Option } from 'commander';
import { isKind } from '../../contract/subject.ts';
import { addWaitOptions, BULK_LIMIT, type WaitOptions } from '../entries/wait.ts';
import { readNote } from '../entries/write-entries.ts';
import { usageError } from '../exit/cli-error.ts';
import { FORMAT_NAMES, type FormatName } from '../formats/formats.ts';
import { type JsonPath, parseJsonPath } from '../formats/json-path.ts';
import { addConfigOption, type ConfigOptions } from '../options/config-option.ts';
import { type ExpiryOptions, expiryOf } from '../options/expiry.ts';
import { addOutcomeOptions, type OutcomeOptions, outcomeOf } from '../options/outcome-options.ts';
import { addTableOptions } from '../options/table-options.ts';
import type { Defaults } from './desired-entries.ts';
import { type MaxInvalid, readMaxInvalid } from './max-invalid.ts';
import { readTrust } from './trusted-attributes.ts';

/** The options that `import` and `sync` share. */
export interface BulkOptions extends WaitOptions, ConfigOptions, ExpiryOptions, OutcomeOptions {
  readonly list: string;
  readonly format?: FormatName;
  readonly minScore?: number;
  readonly kind?: string;
  readonly contains?: true;
  readonly column?: string;
  readonly field?: readonly JsonPath[];
  readonly trust?: readonly string[];
  readonly ignore?: readonly string[];
  readonly yes?: true;
  readonly reason?: string;
  readonly note?: string;
  readonly skipInvalid?: true;
  readonly maxInvalid?: MaxInvalid;
  readonly skipProtected?: true;
  readonly force?: true;
  readonly dryRun?: true;
  readonly refetch?: true;
  readonly inside?: true;
  readonly newList?: true;
}

export function addBulkOptions(command: Command): Command {
  refuseRenamed(command, '--skip-bad', '--skip-invalid');
  addOutcomeOptions(
    command
      .argument('<source>', 'a file, an http or https URL, or - for standard input')
      .addOption(new Option('--format <name>', 'the format (default: detected)').choices(FORMAT_NAMES))
      .option('--min-score <n>', 'skip entries with a lower AbuseIPDB score, 0 to 100', readScore)
      .option('--kind <kind>', 'the kind of bare subjects in the source (default: ip)', readKind)
      .option('--contains', 'with --kind ua or header.NAME: the values of the source are names that agents contain')
      .addOption(
        new Option('--column <name>', 'the column with the subjects of a table, by name or number').conflicts('field'),
      )
      .option('--field <paths>', 'where in JSON the subjects are, like prefixes[].ip_prefix', readPaths)
      .option('--trust <words>', 'what the source may set: actions, kinds, status, var.NAME, or none', readTrust)
      .option('--ignore <fields>', 'ignore these fields of the source, which are rejected otherwise', readFields)
      .option('--for <duration>', 'expire after 90s, 30m, 24h, 7d or 2w, if the source has no expiry')
      .addOption(new Option('--until <time>', 'expire at this ISO 8601 time with time zone').conflicts('for'))
      .option('--reason <text>', 'the reason, if the source has none; also sent to HAProxy')
      .option('--note <text>', 'a note that stays in the table', readNote),
  )
    .option('--skip-invalid', 'skip invalid lines and write the others, if no more than 10 lines or 10 % are invalid')
    .addOption(
      new Option('--max-invalid <number>', 'the same with another bound: lines like 20, or a share like 5%')
        .argParser(readMaxInvalid)
        .implies({ skipInvalid: true }),
    )
    .option('--skip-protected', 'skip entries that would block protected addresses')
    .option('--force', 'also write entries that would block protected addresses')
    .option('--refetch', 'fetch a URL that has not changed since the last run')
    .option('--inside', 'also fetch from loopback, private and link-local addresses')
    .option('--new-list', 'write even if the list is not among those of the configuration')
    .option('--dry-run', 'print the changes without making them')
    .option('--quiet', 'print nothing but errors')
    .option('--json', 'print what was done as a JSON object');
  return addTableOptions(addConfigOption(addWaitOptions(command, BULK_LIMIT)));
}

/** An option of an earlier version is refused with its new name. */
function refuseRenamed(command: Command, was: string, is: string): void {
  const option = new Option(was).hideHelp();
  command.addOption(option).on(`option:${option.name()}`, () => {
    throw usageError(`${was} is now ${is}`);
  });
}

/** The attributes of entries for which the source has no value. */
export function defaultsOf(options: BulkOptions, createdBy: string, nowMs: number): Defaults {
  return {
    list: options.list,
    outcome: outcomeOf(options),
    reason: options.reason,
    note: options.note,
    expiresAt: expiryOf(options, nowMs),
    createdBy,
    createdAt: new Date(nowMs).toISOString(),
  };
}

function readFields(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

function readPaths(text: string): readonly JsonPath[] {
  return text.split(',').map((one) => {
    const path = parseJsonPath(one.trim());
    if (path !== undefined) return path;
    throw usageError(`--field "${one}" is not a path: write it like prefixes[].ip_prefix, with [] after an array`);
  });
}

function readScore(text: string): number {
  const score = Number(text);
  if (/^\d{1,3}$/.test(text) && score <= 100) return score;
  throw usageError(`--min-score "${text}" is not a whole number from 0 to 100`);
}

function readKind(text: string): string {
  if (isKind(text)) return text;
  throw usageError(`--kind "${text}" is not a valid kind: write it like ip, host or header.x-name`);
}
