import { DENY_STATUSES } from '../../contract/check.ts';
import type { Settings } from '../config/settings.ts';
import { ERROR_VARIABLE, REQUEST_SCOPE, VARIABLES } from '../vocabulary.ts';
import { agentsBackend } from './backend.ts';
import { ENGINE } from './spoe.ts';

export const DEFAULT_SPOE_PATH = '/etc/haproxy/haverdict.spoe.cfg';

const DEFAULT_DENY_STATUS = 403;
/** An agent that could not be asked is told as an error, never as a ban. */
const UNKNOWN_STATUS = 503;

/** `deny_status` takes only statuses HAProxy has a page for (2.6: "not handled by default"); these bring their own. */
const PAGES: Readonly<Record<number, string>> = { 451: 'Unavailable For Legal Reasons' };

/** Everything HAProxy needs beside the SPOE file: lines for the operator's frontend, and the backend of the agents. */
export function haproxyFragment(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  return [
    '# Part 1 of 2: put these lines into each frontend that haverdict shall guard, before its other rules.\n',
    frontendRules(settings, spoePath),
    '\n# Part 2 of 2: put this section beside the other backends, once.\n',
    agentsBackend(settings),
  ].join('');
}

/** The lines of a frontend that ask the agent and obey its decision. */
export function frontendRules(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  const rules = [
    `filter spoe engine ${ENGINE} config ${escaped(spoePath)}`,
    '',
    ...unknownRules(settings),
    '',
    '# denied, with the status of the entry where it has one',
    ...DENY_STATUSES.filter((status) => status !== DEFAULT_DENY_STATUS).map((status) => denyRule(settings, status)),
    deny(DEFAULT_DENY_STATUS, isDenied(settings)),
  ];
  return rules.map((rule) => (rule === '' ? '\n' : `    ${rule}\n`)).join('');
}

/** What happens to a request that has no decision. These come first: an error leaves no action behind. */
function unknownRules(settings: Settings): string[] {
  const error = variable(settings, ERROR_VARIABLE);
  const action = variable(settings, VARIABLES.action);
  if (!isClosed(settings))
    return [
      '# policy open: a request passes when the agent could not be asked, as no rule below matches then',
      `# (${error} says why: 1 too late, 2 or 257 no connection, 3 message too large)`,
    ];
  return [
    '# policy closed: no request passes when the agent could not be asked',
    `# (${error} says why: 1 too late, 2 or 257 no connection, 3 message too large)`,
    deny(UNKNOWN_STATUS, `{ ${error} -m found }`),
    "# nor when it was not asked at all, as after HAProxy's maxerrrate",
    deny(UNKNOWN_STATUS, `! { ${action} -m found }`),
  ];
}

/** HAProxy cannot tell our reasons apart (a dead agent also ends as its timeout), so the default of the policy counts. */
function isClosed(settings: Settings): boolean {
  return settings.messages.some(({ policy }) => policy.default === 'closed');
}

function denyRule(settings: Settings, status: number): string {
  return deny(status, `${isDenied(settings)} { ${variable(settings, VARIABLES.status)} -m int ${status} }`);
}

function deny(status: number, condition: string): string {
  const page = PAGES[status];
  const content = page === undefined ? '' : ` content-type text/plain string "${page}"`;
  return `http-request deny deny_status ${status}${content} if ${condition}`;
}

function isDenied(settings: Settings): string {
  return `{ ${variable(settings, VARIABLES.action)} -m str deny }`;
}

function variable(settings: Settings, name: string): string {
  return `var(${REQUEST_SCOPE}.${settings.haproxy.prefix}.${name})`;
}

/** A path as one word of HAProxy's configuration (configuration.txt 2.2). */
function escaped(path: string): string {
  return path.replace(/[\s"'#\\]/g, '\\$&');
}
