import { Command } from 'commander';
import { toListSettings } from '../../config/list-settings.ts';
import { toRules } from '../../config/rules.ts';
import { actor } from '../entries/actor.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { protectedSet } from '../guards/protected.ts';
import { addExamples } from '../help/examples.ts';
import { FINDINGS, type Finding } from '../lint/finding.ts';
import { lint } from '../lint/lint.ts';
import { type Repairer, repair } from '../lint/repair.ts';
import { readList } from '../options/arguments.ts';
import { addConfigOption, type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJsonLine, printLine } from '../output/output.ts';
import { plural } from '../output/plural.ts';
import { headingOf, printRow } from '../output/table.ts';

interface LintCommandOptions extends TableOptions, ConfigOptions {
  readonly list?: string;
  readonly fix?: true;
  readonly hand?: true;
  readonly json?: true;
}

/** The outcome of a finding. */
type State = 'fixed' | 'fixable' | 'open' | 'note';

const COLUMNS = ['FINDING', 'STATE', 'LIST', 'SUBJECT', 'PROBLEM'] as const;
const WIDTHS = [17, 7, 10, 30];
const MARKS = { fixed: 'good', fixable: 'bad', open: 'bad', note: 'quiet' } as const;

export function lintCommand(): Command {
  const command = new Command('lint')
    .description('find entries that never match or have no effect')
    .option('--list <name>', 'only this list', readList)
    .option('--fix', 'make safe repairs: rewrite to canonical text, delete long-expired entries, register lists')
    .option('--hand', 'also report entries written by hand; reads the history')
    .option('--json', 'print one JSON object per line');
  return addExamples(
    addTableOptions(addConfigOption(command)),
    'haverdict lint',
    'haverdict lint --list manual --hand',
    'haverdict lint --fix --json',
  ).action(lintTable);
}

async function lintTable(options: LintCommandOptions): Promise<void> {
  const { rules, ...sections } = await readLintSections(options);
  const { blocklist: settings, ipv6Prefix, lists } = sections;
  const blocklist = await openBlocklist(options);
  const now = () => new Date().toISOString();
  const repairer = { blocklist, guard: protectedSet(settings, process.env), by: actor(), now };
  const counts = { fixed: 0, fixable: 0, open: 0, note: 0 };
  const wanted = {
    ...{ hand: options.hand === true, ipv6Prefix, listActions: toListSettings(lists).listActions, nowMs: Date.now() },
    ...(options.list && { list: options.list }),
    ...(rules && { rules }),
  };
  for await (const finding of lint(blocklist, wanted)) {
    const { state, problem } = await handled(finding, options.fix ? repairer : undefined);
    if (Object.values(counts).every((count) => count === 0) && !options.json)
      await printRow(headingOf(COLUMNS), WIDTHS);
    counts[state]++;
    const { id, subject, list } = finding;
    const cells = [id, { text: state, mark: MARKS[state] }, list, subject, problem];
    await (options.json ? printJsonLine({ finding: id, state, list, subject, problem }) : printRow(cells, WIDTHS));
  }
  if (!options.json) await printLine(summary(counts));
  const left = counts.open + counts.fixable;
  if (left > 0) throw new CliError(EXIT.failed, `${plural(left, 'problem')} left in the table`);
}

/** Without a configuration file it is unknown which rules HAProxy has. */
async function readLintSections(options: ConfigOptions) {
  const own = ['blocklist', 'ipv6Prefix', 'lists'] as const;
  if (configFile(options) === undefined)
    return { ...(await readSections(own, options, process.env)), rules: undefined };
  const sections = await readSections([...own, 'haproxy', 'messages', 'policy'], options, process.env);
  return { ...sections, rules: toRules(sections) };
}

/** Repairs one finding at a time, so that memory does not grow with the number of findings. */
async function handled(finding: Finding, repairer: Repairer | undefined): Promise<{ state: State; problem: string }> {
  const { problem } = finding;
  if (FINDINGS[finding.id] === 'note') return { state: 'note', problem };
  if (finding.repair === undefined) return { state: 'open', problem };
  if (repairer === undefined) return { state: 'fixable', problem };
  const failure = await repair(finding.repair, repairer);
  return failure === undefined ? { state: 'fixed', problem } : { state: 'open', problem: `${problem}; ${failure}` };
}

function summary({ fixed, fixable, open, note }: Readonly<Record<State, number>>): string {
  const total = fixed + fixable + open;
  if (total + note === 0) return 'no problems found';
  const hint = fixable > 0 ? `, ${fixable} repairable with --fix` : '';
  return `${plural(total, 'problem')}${hint}${fixed > 0 ? `, ${fixed} repaired` : ''}; ${plural(note, 'note')}`;
}
