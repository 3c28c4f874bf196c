import { Command } from 'commander';
import { toListSettings } from '../../config/list-settings.ts';
import { toRules } from '../../config/rules.ts';
import type { ListActions } from '../../contract/permitted-actions.ts';
import { eachLine } from '../access-log/each-line.ts';
import { usageError } from '../exit/cli-error.ts';
import { messageNamed } from '../explain/lookup-plan.ts';
import { addExamples } from '../help/examples.ts';
import { readLists } from '../options/arguments.ts';
import { addConfigOption, type ConfigOptions, configFile, readSections } from '../options/config-option.ts';
import { addTableOptions, openBlocklist, type TableOptions } from '../options/table-options.ts';
import { printJson, write } from '../output/output.ts';
import { startProgress } from '../output/progress.ts';
import { isLogged, LOGGED_KINDS } from '../replay/logged-subjects.ts';
import { Replay, type ReplayRules } from '../replay/replay.ts';
import { reportJson, reportLines } from '../replay/report.ts';
import { readTable } from '../replay/table-entries.ts';

/** Lines between two looks at the progress. */
const STEP = 10_000;

interface ReplayOptions extends TableOptions, ConfigOptions {
  readonly lists?: string[];
  readonly message?: string;
  readonly top: number;
  readonly quiet?: true;
  readonly json?: true;
}

export function replayCommand(): Command {
  const command = new Command('replay')
    .description('find out whom the lists would deny: decide about the requests in the logs of a HAProxy')
    .argument('<file...>', 'logs of HAProxy; - is standard input')
    .option(
      '--lists <names>',
      'the lists to look in, in order of precedence (default: those of the configuration)',
      readLists,
    )
    .option('--message <name>', 'the message of the configuration to apply (default: the only one)')
    .option('--top <number>', 'print so many entries, those with most requests first', readTop, 20)
    .option('--quiet', 'print no progress')
    .option('--json', 'print a JSON object');
  return addExamples(
    addTableOptions(addConfigOption(command)),
    'haverdict replay /var/log/haproxy.log --lists feed',
    'zcat /var/log/haproxy.log.*.gz | haverdict replay -',
  ).action(replayLogs);
}

async function replayLogs(files: string[], options: ReplayOptions): Promise<void> {
  const { lists, listActions, notLogged, ...rules } = await planned(options);
  const known = await readTable(await openBlocklist(options), lists, listActions);
  const replay = new Replay(known, rules);
  const progress = startProgress({ label: 'lines', quiet: options.quiet });
  let lines = 0;
  let seen = 0;
  for (const file of files)
    lines += await eachLine(file, (line) => {
      replay.add(line);
      if (++seen % STEP === 0) progress.advance(STEP);
    });
  progress.stop();
  const replayed = { ...replay.result(), lines, lists: known.lists, kinds: rules.kinds, notLogged };
  if (options.json) return printJson(reportJson(replayed, options.top));
  await write(`${reportLines(replayed, options.top).join('\n')}\n`);
}

interface Plan extends ReplayRules {
  /** Undefined where all lists count. */
  readonly lists: readonly string[] | undefined;
  readonly listActions: ListActions;
  readonly notLogged: readonly string[];
}

/** What an agent with the configuration looks up; without one, everything that a log has. */
async function planned(options: ReplayOptions): Promise<Plan> {
  if (configFile(options) === undefined && options.message === undefined)
    return {
      ...{ kinds: LOGGED_KINDS, ipv6Prefix: 128, oddPaths: 'pass' },
      ...{ lists: options.lists, listActions: {}, notLogged: [] },
    };
  const sections = ['lists', 'messages', 'ipv6Prefix', 'haproxy', 'policy'] as const;
  const agent = await readSections(sections, options, process.env);
  const { lists, listActions } = toListSettings(agent.lists);
  const named = messageNamed(options.message, agent.messages);
  if (named === undefined)
    throw usageError(`name one of the messages with --message: ${Object.keys(agent.messages).join(', ')}`);
  const kinds = Object.keys(named.message.subjects);
  const logged = kinds.filter(isLogged);
  if (logged.length === 0) throw usageError(`message ${named.name} looks up ${kinds.join(', ')}: no log has that`);
  return {
    ...{ kinds: logged, ipv6Prefix: agent.ipv6Prefix, oddPaths: named.message.oddPaths, rules: toRules(agent) },
    ...{ lists: options.lists ?? lists, listActions, notLogged: kinds.filter((kind) => !isLogged(kind)) },
  };
}

function readTop(text: string): number {
  const top = Number(text);
  if (/^\d{1,7}$/.test(text) && top > 0) return top;
  throw usageError(`--top takes a number from 1, not "${text}"`);
}
