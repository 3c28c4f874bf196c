import type { HaproxySettings, MessageSettings } from '../../../config/settings.ts';
import { ALLOWED_AT_VARIABLE, RECENT_SOURCE } from '../../recent.ts';
import { VARIABLES } from '../../variables.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { sendConditionOf } from '../send-condition.ts';
import { skipsRecent } from '../sending-group.ts';
import { AGENTS_BACKEND } from '../spoe.ts';
import { bothConditions } from '../syntax.ts';

type RecentSettings = Pick<HaproxySettings, 'recentSeconds' | 'recentAddresses' | 'recentStickCounter'>;

/** The sources of a decision that follows from the lists as they are now. */
const LIST_SOURCES = 'mirror cache backend';

/** Above the rule that sends the message: decides about a recent address, so that it is not sent. */
export function recentRules(haproxy: RecentSettings, { message, nameOf, has }: DecisionVariables): string[] {
  if (!skipsRecent(haproxy, message)) return [];
  const { recentSeconds } = haproxy;
  const allowedAt = nameOf(ALLOWED_AT_VARIABLE);
  const { condition } = sendConditionOf(message);
  const set = (name: string, value: string) => `http-request set-var(${nameOf(name)}) ${value}`;
  // the lower bound: a time in the future, after the clock was set back, is not recent
  const isRecent = `{ date,sub(${allowedAt}) -m int 0:${recentSeconds - 1} }`;
  return [
    `# an address that was allowed less than ${recentSeconds} s ago is allowed without asking (haproxy.recentSeconds)`,
    set(ALLOWED_AT_VARIABLE, `${addressOf(message)},table_gpt0(${AGENTS_BACKEND})`),
    `${set(VARIABLES.source, `str(${RECENT_SOURCE})`)} if ${bothConditions(condition, isRecent)}`,
    `${set(VARIABLES.action, 'str(allow)')} if ${has(VARIABLES.source)}`,
  ];
}

/** The condition of the rule that sends the message: its own, and that the rules above did not decide. */
export function sendIf(haproxy: RecentSettings, { message, has }: DecisionVariables): string | undefined {
  const { condition } = sendConditionOf(message);
  return skipsRecent(haproxy, message) ? bothConditions(condition, `!${has(VARIABLES.action)}`) : condition;
}

/**
 * Below that rule: stores when the address was allowed. The time is stored because each use of an entry postpones its
 * expiry. An answer of the policy, of the script or of an entry is not stored.
 */
export function storeRules(haproxy: RecentSettings, { message, is, has, variable }: DecisionVariables): string[] {
  if (!skipsRecent(haproxy, message)) return [];
  const counter = haproxy.recentStickCounter;
  const isPlain = `{ ${variable(VARIABLES.source)} -m str ${LIST_SOURCES} } ${is('allow')} !${has(VARIABLES.list)}`;
  return [
    `http-request track-sc${counter} ${addressOf(message)} table ${AGENTS_BACKEND} if ${isPlain}`,
    `http-request sc-set-gpt0(${counter}) date if ${isPlain}`,
    '',
  ];
}

/** The lines of the agents' backend that hold the stick table; none if no message needs it. */
export function recentTable(haproxy: RecentSettings, messages: readonly MessageSettings[]): string[] {
  if (!messages.some((message) => skipsRecent(haproxy, message))) return [];
  return ['# the addresses of haproxy.recentSeconds; if it is full, HAProxy removes the oldest', tableLine(haproxy)];
}

export function tableLine({ recentSeconds, recentAddresses }: RecentSettings): string {
  return `stick-table type ipv6 size ${recentAddresses} expire ${recentSeconds}s store gpt0`;
}

function addressOf({ subjects }: MessageSettings): string {
  return subjects[0]?.expression ?? 'src'; // it has one
}
