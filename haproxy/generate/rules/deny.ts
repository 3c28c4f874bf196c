import type { HaproxySettings } from '../../../config/settings.ts';
import { ACTIONS, endsRequest } from '../../../contract/actions.ts';
import { DEFAULT_DENY_STATUS } from '../../../contract/missing-rules.ts';
import { POLICY_STATUS, REFUSED_STATUS } from '../../../contract/policy.ts';
import { VARIABLES } from '../../variables.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { formatVariable, quoteWord } from '../syntax.ts';
import type { Stops } from './no-decision.ts';

export type HttpRuleset = 'http-request' | 'http-response';
/** What a deny needs to know of the configuration. */
export type DenySettings = Pick<HaproxySettings, 'actions' | 'denyPages' | 'denyStatuses' | 'bodyContentType'>;

const TOO_LONG_STATUS = 414;

/** `deny_status` takes only statuses HAProxy has a page for (2.6: "not handled by default"); these bring their own. */
const PAGES: Readonly<Record<number, string>> = {
  [TOO_LONG_STATUS]: 'URI Too Long',
  451: 'Unavailable For Legal Reasons',
};

/** The start of a rule that denies with this status. */
function denyWith(haproxy: DenySettings, ruleset: HttpRuleset, status: number): string {
  return `${ruleset} deny ${replyWith(haproxy, status)}`;
}

/** The start of the rule that stops an ambiguous request. */
export function refusalStop(haproxy: DenySettings): string {
  return denyWith(haproxy, 'http-request', REFUSED_STATUS);
}

/** The start of the rule that stops a request with too long a path. */
export function tooLongStop(haproxy: DenySettings): string {
  return denyWith(haproxy, 'http-request', TOO_LONG_STATUS);
}

export function httpStops(haproxy: DenySettings, ruleset: HttpRuleset): Stops {
  return {
    unknown: denyWith(haproxy, ruleset, POLICY_STATUS),
    refused: denyWith(haproxy, ruleset, REFUSED_STATUS),
  };
}

/** Denied with the body of the entry; HAProxy wants each status literally, so there is a rule for each. */
export function bodyRules(haproxy: DenySettings, decision: DecisionVariables, ruleset: HttpRuleset): string[] {
  const { is, has, variable } = decision;
  const body = formatVariable(variable(VARIABLES.body));
  const reply = `content-type ${quoteWord(haproxy.bodyContentType)} lf-string ${body}`;
  return byStatus(
    haproxy,
    decision,
    `${is(...deniedAt(ruleset))} ${has(VARIABLES.body)}`,
    (status, condition) => `${ruleset} return status ${status} ${reply} if ${condition}`,
  );
}

/** What catches every action that ends something: one that no rule above obeys is denied. */
export const ENDING = ACTIONS.filter(endsRequest);

/** Denied with a page: that of the configuration, or HAProxy's own. */
export function denyRules(haproxy: DenySettings, decision: DecisionVariables, ruleset: HttpRuleset): string[] {
  const rules = byStatus(
    haproxy,
    decision,
    decision.is(...deniedAt(ruleset)),
    (status, condition) => `${denyWith(haproxy, ruleset, status)} if ${condition}`,
  );
  return [...rules.slice(0, -1), `${denyWith(haproxy, ruleset, DEFAULT_DENY_STATUS)} if ${decision.is(...ENDING)}`];
}

export function tarpitRules(haproxy: DenySettings, decision: DecisionVariables): string[] {
  return byStatus(
    haproxy,
    decision,
    decision.is('tarpit'),
    (status, condition) => `http-request tarpit ${replyWith(haproxy, status)} if ${condition}`,
  );
}

/** A response cannot be tarpitted, only denied. */
function deniedAt(ruleset: HttpRuleset): readonly ('deny' | 'tarpit')[] {
  return ruleset === 'http-request' ? ['deny'] : ['deny', 'tarpit'];
}

/** A rule for each status that is configured, and one for entries with another or none. */
function byStatus(
  { denyStatuses }: DenySettings,
  { hasStatus }: DecisionVariables,
  condition: string,
  rule: (status: number, condition: string) => string,
): string[] {
  const others = denyStatuses.filter((status) => status !== DEFAULT_DENY_STATUS);
  return [
    ...others.map((status) => rule(status, `${condition} ${hasStatus(status)}`)),
    rule(DEFAULT_DENY_STATUS, condition),
  ];
}

function replyWith({ denyPages }: DenySettings, status: number): string {
  const page = denyPages.find((page) => page.status === status);
  const own = PAGES[status];
  if (page !== undefined)
    return `deny_status ${status} content-type ${quoteWord(page.contentType)} file ${quoteWord(page.file)}`;
  return own === undefined ? `deny_status ${status}` : `deny_status ${status} content-type text/plain string "${own}"`;
}
