import type { HaproxySettings, MessageSettings, Settings } from '../../config/settings.ts';
import { isConnectionGroup } from '../client-bytes.ts';
import { DEFAULT_EVENT, isSentAt, MESSAGE_EVENTS } from '../events.ts';
import { type DecisionVariables, decisionVariables } from './decision-variables.ts';
import { requestChanges, responseChanges, routeRules } from './rules/change.ts';
import { httpStops } from './rules/deny.ts';
import { logFormat, referenceRule } from './rules/logging.ts';
import { noDecisionRules } from './rules/no-decision.ts';
import { recentRules, sendIf, storeRules } from './rules/recent.ts';
import { refusals, tunnelRules } from './rules/refusals.ts';
import { stopRules } from './rules/stop.ts';
import { sendConditionOf } from './send-condition.ts';
import { sendingGroup } from './sending-group.ts';
import { ENGINE } from './spoe.ts';
import { bothConditions, indent, quoteWord } from './syntax.ts';

export const DEFAULT_SPOE_PATH = '/etc/haproxy/haverdict.spoe.cfg';

type FrontendSettings = Pick<Settings, 'haproxy' | 'messages'>;

/** The lines of an HTTP frontend that ask the agent and obey what it decides; empty if nothing is sent there. */
export function frontendRules(settings: FrontendSettings, spoePath = DEFAULT_SPOE_PATH): string {
  const lines = frontendLines(settings, spoePath);
  return lines.length === 0 ? '' : indent([...lines, '', ...logLines(settings)]);
}

/** The same without what obeys `apart`, which stands where the operator sends those groups, and without the log format. */
export function frontendLines(
  { haproxy, ...all }: FrontendSettings,
  spoePath: string,
  apart: readonly MessageSettings[] = [],
): string[] {
  const messages = all.messages.filter((message) => !isConnectionGroup(message));
  if (messages.length === 0) return [];
  const { requests, responses } = bySide(messages);
  const heading = messages.length === 1 && messages[0]?.group === undefined ? () => [] : headingOf;
  return [
    filterLine(spoePath),
    ...(messages.some(sendsBody)
      ? ['# wait for the body, or only the part that came with the headers is sent', BUFFERED]
      : []),
    '',
    ...tunnelRules(messages),
    '',
    ...refusals(haproxy, requests),
    '',
    ...requests.flatMap((message) =>
      apart.includes(message)
        ? recentRules(haproxy, decisionVariables(haproxy.prefix, message))
        : [...heading(message), ...requestRules(haproxy, message), ''],
    ),
    ...responses.flatMap((message) => [...heading(message), ...responseRules(haproxy, message), '']),
    ...responseHeaderRules(haproxy, messages),
  ];
}

/** A request log with the decisions, which the operator may take over. */
export function logLines({ haproxy, messages }: FrontendSettings): string[] {
  const { requests, responses } = bySide(messages);
  const decisions = [...requests, ...responses].map((message) => decisionVariables(haproxy.prefix, message));
  return [
    '# to log decisions: option httplog with action, source, reason and reference id',
    `# ${logFormat(decisions)}`,
  ];
}

/** Whether a rule of the operator's sends this message: what obeys it stands below that. */
export function isSentByOperator(message: MessageSettings): boolean {
  return message.group !== undefined && sendConditionOf(message).condition === undefined;
}

/** The lines of a frontend that choose the backend, which must stand below all its http-request rules. */
export function frontendRoutes({ haproxy, messages }: FrontendSettings): string {
  const latestFirst = bySide(messages).requests.reverse();
  return indent(latestFirst.flatMap((message) => routeRules(haproxy, decisionVariables(haproxy.prefix, message))));
}

export function filterLine(spoePath: string): string {
  return `filter spoe engine ${ENGINE} config ${quoteWord(spoePath)}`;
}

const BUFFERED = 'option http-buffer-request';

function requestRules(haproxy: HaproxySettings, message: MessageSettings): string[] {
  return [
    ...sendConditionOf(message).acls,
    ...recentRules(haproxy, decisionVariables(haproxy.prefix, message)),
    ...sendLines(haproxy, message),
    ...obeyingRules(haproxy, message),
  ];
}

/** What stands below the rule that sends a message: what obeys the decision about a request. */
export function obeyingRules(haproxy: HaproxySettings, message: MessageSettings): string[] {
  const decision = decisionVariables(haproxy.prefix, message);
  return [
    ...storeRules(haproxy, decision),
    ...noDecisionRules(haproxy.prefix, decision, httpStops(haproxy, 'http-request')),
    '',
    ...stopRules(haproxy, decision, 'http-request'),
    '',
    ...requestChanges(haproxy, decision),
  ];
}

/** The rule that sends a group, above those that obey its answer; without a condition, it is the operator's to write. */
function sendLines(haproxy: HaproxySettings, message: MessageSettings): string[] {
  const send = sendRule(haproxy, message);
  if (send === undefined) return [];
  return isSentByOperator(message)
    ? ['# write the line that sends the group here, below what it depends on, for example', `#     ${send}`]
    : [send];
}

/** The rule that sends this message, or an example of it; undefined for one that HAProxy sends at its event. */
export function sendRule(haproxy: HaproxySettings, message: MessageSettings): string | undefined {
  const group = sendingGroup(haproxy, message);
  if (group === undefined) return undefined;
  const condition = sendIf(haproxy, decisionVariables(haproxy.prefix, message));
  const whole = isSentByOperator(message) ? bothConditions(condition, '{ method POST }') : condition;
  return `http-request send-spoe-group ${ENGINE} ${group} if ${whole}`;
}

function responseRules(haproxy: HaproxySettings, message: MessageSettings): string[] {
  const decision = decisionVariables(haproxy.prefix, message);
  return [
    ...noDecisionRules(haproxy.prefix, decision, httpStops(haproxy, 'http-response')),
    '',
    ...stopRules(haproxy, decision, 'http-response'),
  ];
}

function responseHeaderRules(haproxy: HaproxySettings, messages: readonly MessageSettings[]): string[] {
  const decisions = unique(messages.map((message) => decisionVariables(haproxy.prefix, keptAs(message))));
  const rules = decisions.flatMap((decision) => responseChanges(haproxy, decision));
  return [
    ...(rules.length === 0 ? [] : ['# headers of the response, changed as the entry says', ...rules, '']),
    '# a denied client can quote the reference id, which is in the log of the agent',
    ...decisions.map(referenceRule),
  ];
}

/** A decision made after the backend was chosen is copied to the variables of the frontend (`keptForResponse`). */
function keptAs(message: MessageSettings): MessageSettings {
  return isSentAt(message, { section: 'backend' }) ? { ...message, event: DEFAULT_EVENT } : message;
}

function unique(decisions: readonly DecisionVariables[]): DecisionVariables[] {
  return [...new Map(decisions.map((decision) => [decision.variable(''), decision])).values()];
}

/** The messages about requests of a frontend, and those about responses, in the order in which HAProxy sends them. */
function bySide(messages: readonly MessageSettings[]) {
  return {
    requests: inOrder(messages.filter(isForFrontend)),
    responses: messages.filter((message) => isSentAt(message, { side: 'response' })),
  };
}

function isForFrontend(message: MessageSettings): boolean {
  if (message.event === undefined) return !isConnectionGroup(message);
  return isSentAt(message, { section: 'frontend' });
}

/** In the order in which HAProxy sends them: groups are sent by rules, after all events of the frontend. */
function inOrder(messages: readonly MessageSettings[]): MessageSettings[] {
  const at = ({ event }: MessageSettings) =>
    event === undefined ? MESSAGE_EVENTS.length : MESSAGE_EVENTS.indexOf(event);
  return [...messages].sort((one, other) => at(one) - at(other));
}

export function headingOf({ name, event, group }: MessageSettings): string[] {
  return [`# ---- message ${name}: ${event ?? `group ${group}`} ----`];
}

function sendsBody({ subjects, arguments: given }: MessageSettings): boolean {
  return [...subjects, ...given].some(({ expression }) => /\breq\.body/.test(expression));
}
