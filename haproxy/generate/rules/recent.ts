import type { HaproxySettings, MessageSettings } from '../../../config/settings.ts';
import { PASSED_AT_VARIABLE, RECENT_SOURCE } from '../../recent.ts';
import { VARIABLES } from '../../vocabulary.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { isRemembered } from '../remembered.ts';
import { sendConditionOf } from '../send-condition.ts';
import { AGENTS_BACKEND } from '../spoe.ts';
import { bothConditions } from '../syntax.ts';

type RecentSettings = Pick<HaproxySettings, 'recentSeconds' | 'recentVisitors' | 'recentStickCounter'>;

/** Sources of a decision that the lists made and that still holds. */
const KNOWN_SOURCES = 'cache backend';

/** Above the rule that sends the message: who passed a moment ago is allowed without being asked about. */
export function recallRules(haproxy: RecentSettings, decision: DecisionVariables): string[] {
  const { recentSeconds } = haproxy;
  const { message, nameOf, has } = decision;
  if (!isRemembered(haproxy, message)) return [];
  const passedAt = nameOf(PASSED_AT_VARIABLE);
  const { condition } = sendConditionOf(message);
  const set = (name: string, value: string) => `http-request set-var(${nameOf(name)}) ${value}`;
  // a second that is still to come, as after the clock was put back, is not recent
  const isRecent = `{ date,sub(${passedAt}) -m int 0:${recentSeconds - 1} }`;
  return [
    `# not asked about again: who passed less than ${recentSeconds} s ago (haproxy.recentSeconds)`,
    set(PASSED_AT_VARIABLE, `${addressOf(message)},table_gpt0(${AGENTS_BACKEND})`),
    `${set(VARIABLES.source, `str(${RECENT_SOURCE})`)} if ${bothConditions(condition, isRecent)}`,
    `${set(VARIABLES.action, 'str(allow)')} if ${has(VARIABLES.source)}`,
  ];
}

/** The condition under which a message is sent: its own, and only where nothing is remembered. */
export function askedCondition(haproxy: RecentSettings, { message, has }: DecisionVariables): string | undefined {
  const { condition } = sendConditionOf(message);
  return isRemembered(haproxy, message) ? bothConditions(condition, `!${has(VARIABLES.action)}`) : condition;
}

/** Below it: who passes and has no entry at all is remembered. The table has the second itself, as being read must not prolong it. */
export function rememberRules(haproxy: RecentSettings, { message, is, has, variable }: DecisionVariables): string[] {
  if (!isRemembered(haproxy, message)) return [];
  const counter = haproxy.recentStickCounter;
  const passed = `{ ${variable(VARIABLES.source)} -m str ${KNOWN_SOURCES} } ${is('allow')} !${has(VARIABLES.list)}`;
  return [
    '# remembered: who passed without any entry',
    `http-request track-sc${counter} ${addressOf(message)} table ${AGENTS_BACKEND} if ${passed}`,
    `http-request sc-set-gpt0(${counter}) date if ${passed}`,
    '',
  ];
}

/** The table of who passed, as a line of the backend of the agents; none where nobody is remembered. */
export function recentTable(haproxy: RecentSettings, messages: readonly MessageSettings[]): string[] {
  const { recentSeconds, recentVisitors } = haproxy;
  if (!messages.some((message) => isRemembered(haproxy, message))) return [];
  return [
    '# who passed; when it is full, the oldest make way and are asked about again',
    `stick-table type ipv6 size ${recentVisitors} expire ${recentSeconds}s store gpt0`,
  ];
}

function addressOf({ subjects }: MessageSettings): string {
  return subjects[0]?.expression ?? 'src'; // it has one
}
