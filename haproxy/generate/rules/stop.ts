import { REDIRECT_STATUSES } from '../../../contract/actions.ts';
import { VARIABLES } from '../../variables.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { formatVariable } from '../syntax.ts';
import { bodyRules, type DenySettings, denyRules, ENDING, type HttpRuleset, tarpitRules } from './deny.ts';

const DEFAULT_REDIRECT_STATUS = 302;

/** The rules that stop an HTTP request or response as the agent decided. */
export function stopRules(haproxy: DenySettings, decision: DecisionVariables, ruleset: HttpRuleset): string[] {
  const { actions, denyStatuses } = haproxy;
  return [
    ...dropRules(actions, decision, ruleset),
    ...(actions.includes('redirect')
      ? ['# redirected, with the status of the entry if it has one', ...redirectRules(decision, ruleset), '']
      : []),
    ...(actions.includes('tarpit') && ruleset === 'http-request'
      ? [
          '# tarpitted: denied only after `timeout tarpit` of this section (`timeout connect` if that is not set)',
          ...tarpitRules(haproxy, decision),
          '',
        ]
      : []),
    ...(actions.includes('body')
      ? ['# denied with the body of the entry', ...bodyRules(haproxy, decision, ruleset), '']
      : []),
    `# denied${denyStatuses.length > 1 ? ', with the status of the entry if it has one' : ''}; so is what haproxy.actions does not name`,
    ...denyRules(haproxy, decision, ruleset),
  ];
}

/** The same for a connection, which has no status: what denies an HTTP request closes it. */
export function connectionStopRules(
  { actions }: DenySettings,
  decision: DecisionVariables,
  ruleset: 'tcp-request content' | 'tcp-response content',
): string[] {
  return [
    ...dropRules(actions, decision, ruleset),
    '# a connection has no status and no location: every action that ends something closes it',
    `${ruleset} reject if ${decision.is(...ENDING)}`,
  ];
}

function dropRules(actions: DenySettings['actions'], { is }: DecisionVariables, ruleset: string): string[] {
  return actions.includes('drop') ? [DROPPED, `${ruleset} silent-drop if ${is('drop')}`, ''] : [];
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
