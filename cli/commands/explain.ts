import { Command } from 'commander';
import { toListSettings } from '../../config/list-settings.ts';
import { toRules } from '../../config/rules.ts';
import type { Rules } from '../../contract/missing-rules.ts';
import type { ListActions } from '../../contract/permitted-actions.ts';
import { formatSubject, type Subject } from '../../contract/subject.ts';
import { addSocketPathOption } from '../agent-client/socket-option.ts';
import { itemsCovering } from '../entries/listed-item.ts';
import { explainAtAgent } from '../explain/agent-view.ts';
import { explain } from '../explain/explanation.ts';
import { type LookupPlan, listsByDefault, oddPathsIn, planLookups, unique } from '../explain/lookup-plan.ts';
import { COLUMNS, explanationAsJson, explanationLines, rowOf } from '../explain/report.ts';
import { addExamples } from '../help/examples.ts';
import { DEFAULT_LIST, readLists, readSubject } from '../options/arguments.ts';
import { addConfigOption, type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { withSecrets } from '../options/secret.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, printLine } from '../output/output.ts';
import { printTable } from '../output/table.ts';

interface ExplainOptions extends TableOptions, ConfigOptions {
  readonly message?: string;
  readonly lists?: string[];
  readonly agent?: true;
  readonly socket?: string;
  readonly json?: true;
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .description('explain what happens to a request with these subjects, and why')
    .argument('<subject...>', 'an address, a network, or kind:value; earlier kinds take precedence')
    .option('--message <name>', 'the message of the configuration to apply (default: the only one)')
    .option(
      '--lists <names>',
      'the lists to look in, in order of precedence (default: those of the configuration)',
      readLists,
    )
    .option('--agent', 'ask the running agent what it has cached and would decide, instead of the table')
    .option('--json', 'print a JSON object');
  return addExamples(
    addSocketPathOption(addTableOptions(addConfigOption(command))),
    'haverdict explain 203.0.113.7',
    'haverdict explain 203.0.113.7 host:shop.example path:/admin/login --lists manual,feed',
    'haverdict explain --agent 203.0.113.7',
    'haverdict explain 2001:db8::1 --message check-request --json',
  ).action(explainSubjects);
}

async function explainSubjects(typed: string[], options: ExplainOptions): Promise<void> {
  const texts = await withSecrets(typed);
  if (options.agent) return explainAtAgent(texts, options);
  const subjects = unique(texts.map(readSubject));
  const { plan, lists: named, ...held } = await planned(subjects, options);
  const odd = oddPathsIn(texts);
  const { entries } = await openBlocklist(options);
  const asked = await Promise.all(
    plan.subjects.map(async ({ subject, ...rest }) => ({
      subject: formatSubject(subject),
      items: await itemsCovering(subject, entries),
      ...rest,
      ...(plan.oddPaths !== undefined && odd.has(formatSubject(subject)) && { odd: plan.oddPaths }),
    })),
  );
  const lists =
    named ??
    listsByDefault(
      asked.flatMap(({ items }) => items.map(({ list }) => String(list))),
      DEFAULT_LIST,
    );
  const request = { subjects: asked, lists, ...held, shadow: plan.shadow, nowMs: Date.now() };
  const explanation = await explain(request);
  if (options.json) return printJson(explanationAsJson(request, explanation));
  for (const line of explanationLines(request, explanation)) await printLine(line);
  const others = explanation.entries.filter((one) => one !== explanation.winner);
  if (others.length > 0) await printTable(COLUMNS, others.map(rowOf));
  if (named !== undefined) return;
  await printLine('');
  await printLine(
    `Looked in every list that has an entry, ${DEFAULT_LIST} first; use -c or --lists for those of your agent.`,
  );
}

interface Planned {
  readonly plan: LookupPlan;
  /** Undefined without `--lists`. */
  readonly lists: readonly string[] | undefined;
  readonly shadowLists: readonly string[];
  readonly listActions: ListActions;
  readonly rules?: Rules;
}

async function planned(subjects: readonly Subject[], options: ExplainOptions): Promise<Planned> {
  if (configFile(options) === undefined && options.message === undefined)
    return {
      plan: { subjects: subjects.map((subject) => ({ subject })), shadow: false },
      lists: options.lists,
      shadowLists: [],
      listActions: {},
    };
  const sections = ['lists', 'shadowLists', 'messages', 'ipv6Prefix', 'haproxy', 'policy'] as const;
  const agent = await readSections(sections, options, process.env);
  const { lists, listActions } = toListSettings(agent.lists);
  return {
    plan: planLookups(subjects, agent, options.message),
    lists: options.lists ?? lists,
    shadowLists: agent.shadowLists,
    listActions,
    rules: toRules(agent),
  };
}
