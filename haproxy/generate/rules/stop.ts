import { REDIRECT_STATUSES } from '../../../contract/actions.ts';
import { VARIABLES } from '../../variables.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { formatVariable } from '../syntax.ts';
import { bodyRules, type DenySettings, denyRules, type HttpRuleset, tarpitRules } from './deny.ts';

const DEFAULT_REDIRECT_STATUS = 302;

/** The rules that stop an HTTP request or response as the agent decided. */
export function stopRules(haproxy: DenySettings, decision: DecisionVariables, ruleset: HttpRuleset): string[] {
  return [
    DROPPED,
    `${ruleset} silent-drop if ${decision.is('drop')}`,
    '',
    '# redirected, with the status of the entry if it has one',
    ...redirectRules(decision, ruleset),
    '',
    ...(ruleset === 'http-request'
      ? [
          '# tarpitted: denied only after `timeout tarpit` of this section (`timeout connect` if that is not set)',
          ...tarpitRules(haproxy, decision),
          '',
        ]
      : []),
    '# denied with the body of the entry',
    ...bodyRules(haproxy, decision, ruleset),
    '',
    '# denied, with the status of the entry if it has one',
    ...denyRules(haproxy, decision, ruleset),
  ];
}

/** The same for a connection, which has no status: what denies an HTTP request closes it. */
export function connectionStopRules(
  { is }: DecisionVariables,
  ruleset: 'tcp-request content' | 'tcp-response content',
): string[] {
  return [
    DROPPED,
    `${ruleset} silent-drop if ${is('drop')}`,
    '# a connection has no status and no location: every other action that stops closes it',
    `${ruleset} reject if ${is('deny', 'tarpit', 'redirect')}`,
  ];
}

const DROPPED = '# dropped: the client gets no answer, not even a closed connection';

/** HAProxy wants each status literally. */
function redirectRules({ is, has, hasStatus, variable }: DecisionVariables, ruleset: HttpRuleset): string[] {
  const condition = `${is('redirect')} ${has(VARIABLES.location)}`;
  const rule = (status: number, more = '') =>
    `${ruleset} redirect code ${status} location ${formatVariable(variable(VARIABLES.location))} if ${condition}${more}`;
  return [
    ...REDIRECT_STATUSES.filter((status) => status !== DEFAULT_REDIRECT_STATUS).map((status) =>
      rule(status, ` ${hasStatus(status)}`),
    ),
    rule(DEFAULT_REDIRECT_STATUS),
  ];
}
