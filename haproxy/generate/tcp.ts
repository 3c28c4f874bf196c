import type { HaproxySettings, MessageSettings, Settings } from '../../config/settings.ts';
import { arrivalOf, isConnectionGroup } from '../client-bytes.ts';
import { isSentAt } from '../events.ts';
import { decisionVariables } from './decision-variables.ts';
import { DEFAULT_SPOE_PATH, filterLine, headingOf } from './frontend.ts';
import { routeRules } from './rules/change.ts';
import { noDecisionRules } from './rules/no-decision.ts';
import { connectionStopRules } from './rules/stop.ts';
import { inFrontends, sendConditionOf } from './send-condition.ts';
import { ENGINE } from './spoe.ts';
import { indent } from './syntax.ts';

type TcpSettings = Pick<Settings, 'haproxy' | 'messages'>;

/** The lines of a frontend in mode tcp; empty if no message is sent there. */
export function tcpFrontendRules({ haproxy, messages }: TcpSettings, spoePath = DEFAULT_SPOE_PATH): string {
  const connection = messages.find((message) => isSentAt(message, { mode: 'tcp', side: 'request' }));
  const groups = messages.filter(isConnectionGroup);
  if (askedOf(messages).length === 0 && responseMessage(messages) === undefined) return '';
  return indent([
    filterLine(spoePath),
    '',
    ...(connection === undefined ? [] : connectionRules(haproxy, connection, 'tcp-request content')),
    '',
    ...waitRules(groups),
    '',
    ...groups.flatMap((message) => [...groupRules(haproxy, message), '']),
  ]);
}

/** The lines of a frontend in mode tcp that choose the backend: HAProxy refuses those whose backend is in mode http. */
export function tcpFrontendRoutes({ haproxy, messages }: TcpSettings): string[] {
  return askedOf(messages)
    .toReversed()
    .flatMap((message) => routeRules(haproxy, decisionVariables(haproxy.prefix, message)));
}

/** The messages of a frontend in mode tcp, in the order in which HAProxy sends them. */
function askedOf(messages: readonly MessageSettings[]): MessageSettings[] {
  const events = messages.filter((message) => isSentAt(message, { mode: 'tcp', side: 'request' }));
  return [...events, ...messages.filter(isConnectionGroup)];
}

/** A group of which nothing has arrived yet would be sent empty: a rule has to wait, an event cannot. */
function waitRules(groups: readonly MessageSettings[]): string[] {
  if (groups.length === 0) return [];
  const missing = groups.map((message) => {
    const where = inFrontends(message);
    return where === undefined ? `unless ${arrivalOf(message)}` : `if ${where} !${arrivalOf(message)}`;
  });
  return [
    '# wait for what the client sends first; a connection that does not send it in this time is closed',
    'tcp-request inspect-delay 5s',
    ...[...new Set(missing)].map((test) => `tcp-request content reject ${test}`),
  ];
}

function groupRules(haproxy: HaproxySettings, message: MessageSettings): string[] {
  const { condition = '' } = sendConditionOf(message);
  return [
    ...headingOf(message),
    `tcp-request content send-spoe-group ${ENGINE} ${message.group} if ${condition}`,
    ...connectionRules(haproxy, message, 'tcp-request content'),
  ];
}

/** The lines of a backend in mode tcp; the filter is that of the frontend. */
export function tcpBackendRules({ haproxy, messages }: TcpSettings): string {
  const message = responseMessage(messages);
  return message === undefined ? '' : indent(connectionRules(haproxy, message, 'tcp-response content'));
}

function responseMessage(messages: readonly MessageSettings[]): MessageSettings | undefined {
  return messages.find((message) => isSentAt(message, { mode: 'tcp', side: 'response' }));
}

function connectionRules(
  haproxy: HaproxySettings,
  message: MessageSettings,
  ruleset: 'tcp-request content' | 'tcp-response content',
): string[] {
  const decision = decisionVariables(haproxy.prefix, message);
  return [
    ...noDecisionRules(haproxy.prefix, decision, { unknown: `${ruleset} reject`, refused: `${ruleset} reject` }),
    '',
    ...connectionStopRules(haproxy, decision, ruleset),
  ];
}
