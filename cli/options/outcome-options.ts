import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  ACTIONS,
  type Action,
  DENY_STATUSES,
  type Detail,
  factsOf,
  REDIRECT_STATUSES,
} from '../../contract/actions.ts';
import { headerOf } from '../../contract/entry-vars.ts';
import { usageError } from '../exit/cli-error.ts';

/** The options for the outcome of a request, as typed. */
export interface OutcomeOptions extends VarOptions {
  readonly action: Action;
  readonly status?: string;
  readonly location?: string;
  readonly backend?: string;
  readonly split?: string;
  readonly body?: string;
  readonly bodyFile?: string;
}

export interface VarOptions {
  readonly var?: readonly (readonly [name: string, value: string])[];
}

/** The outcome as an entry stores it. */
export interface Outcome {
  readonly action: Action;
  readonly status?: number;
  readonly vars?: Readonly<Record<string, string>>;
}

const BLOCKING = ACTIONS.filter((action) => action !== 'allow');
const STATUSES = [...DENY_STATUSES, ...REDIRECT_STATUSES].map(String);

/** The detail of an entry that each option writes; with an action that ignores it the option is refused. */
const DETAIL_OF = {
  ...{ status: 'status', location: 'location', backend: 'backend', split: 'split' },
  ...{ body: 'body', bodyFile: 'body' },
} as const satisfies Record<Exclude<Detail, 'req' | 'res'>, Detail> & Partial<Record<keyof OutcomeOptions, Detail>>;

/** Adds the options for the outcome of a request. */
export function addOutcomeOptions(command: Command): Command {
  return addVarOption(
    command
      .addOption(new Option('--action <action>', 'the action').choices(BLOCKING).default('deny'))
      .addOption(new Option('--status <code>', 'the HTTP status of a deny, tarpit or redirect').choices(STATUSES))
      .option('--location <url>', 'the target of a redirect: a URL, or a path on the same host')
      .option('--backend <name>', 'the backend of a route; with --split, for the remaining clients')
      .option('--split <ways>', 'route clients by share, like blue=90,green=10')
      .option('--body <text>', 'the body of a deny, in one line')
      .addOption(new Option('--body-file <file>', 'the body of a deny from a file').conflicts('body')),
  );
}

/** Adds `--var NAME=VALUE`. */
export function addVarOption(command: Command): Command {
  const description = 'change the request or response: path, query, req.set.HEADER, res.del.HEADER…; repeatable';
  return command.addOption(new Option('--var <name=value>', description).argParser(addVar));
}

/** The outcome from the options; throws if one of them would have no effect. */
export function outcomeOf(options: OutcomeOptions): Outcome {
  const { action, status, location, backend, split, body, bodyFile } = options;
  for (const [option, detail] of Object.entries(DETAIL_OF))
    if (options[option as keyof typeof DETAIL_OF] !== undefined) refuseUnlessObeyed(detail, action, flagOf(option));
  // path and query change the request
  for (const [name] of options.var ?? [])
    refuseUnlessObeyed(headerOf(name)?.side === 'res' ? 'res' : 'req', action, `--var ${name}`);
  const { needs } = factsOf(action);
  if (needs.length > 0 && needs.every((option) => options[option] === undefined))
    throw usageError(`--action ${action} needs ${needs.map(flagOf).join(' or ')}`);
  const text = bodyFile === undefined ? body : bodyIn(bodyFile);
  const own = Object.entries({ location, backend, split, body: text });
  const vars = Object.fromEntries(
    [...own, ...(options.var ?? [])].filter((given): given is [string, string] => given[1] !== undefined),
  );
  return {
    action,
    ...(status !== undefined && { status: Number(status) }),
    ...(Object.keys(vars).length > 0 && { vars }),
  };
}

function refuseUnlessObeyed(detail: Detail, action: Action, what: string): void {
  const actions = ACTIONS.filter((each) => factsOf(each).obeys.includes(detail));
  if (!actions.includes(action)) throw usageError(`${what} works with ${actionsText(actions)}, not with ${action}`);
}

function addVar(text: string, before: VarOptions['var'] = []): VarOptions['var'] {
  const [, typed = '', value = ''] = /^([^=]+)=(.*)$/su.exec(text) ?? [];
  const name = typed.toLowerCase(); // header names are case-insensitive
  if (name === '') throw usageError(`--var "${text}" is not a variable: use NAME=VALUE, like req.set.x-plan=gold`);
  if (Object.hasOwn(DETAIL_OF, name)) throw usageError(`--var ${name} has its own option: ${flagOf(name)}`);
  if (before.some(([other]) => other === name)) throw usageError(`--var ${name} is given twice`);
  if (headerOf(name)?.how === 'del' && value !== '1') throw usageError(`--var ${name} removes a header: use ${name}=1`);
  return [...before, [name, value]];
}

/** Reads a body from a file without the final line end that editors add. */
function bodyIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw usageError(`--body-file ${error instanceof Error ? error.message : String(error)}`);
  }
}

function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function actionsText(actions: readonly Action[]): string {
  const blocking = actions.filter((action) => action !== 'allow').map((action) => `--action ${action}`);
  const all = actions.includes('allow') ? [...blocking, 'the command allow'] : blocking;
  return all.length === 1 ? all.join() : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}
