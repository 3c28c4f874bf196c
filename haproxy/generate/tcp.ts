import type { HaproxySettings, MessageSettings, Settings } from '../../config/settings.ts';
import { isSentAt } from '../events.ts';
import { decisionVariables } from './decision-variables.ts';
import { DEFAULT_SPOE_PATH, filterLine } from './frontend.ts';
import { routeRules } from './rules/change.ts';
import { noDecisionRules } from './rules/no-decision.ts';
import { connectionStopRules } from './rules/stop.ts';
import { indent } from './syntax.ts';

type TcpSettings = Pick<Settings, 'haproxy' | 'messages'>;

/** The lines of a frontend in mode tcp; empty if no message is sent there. */
export function tcpFrontendRules({ haproxy, messages }: TcpSettings, spoePath = DEFAULT_SPOE_PATH): string {
  const connection = messages.find((message) => isSentAt(message, { mode: 'tcp', side: 'request' }));
  if (connection === undefined) return responseMessage(messages) === undefined ? '' : indent([filterLine(spoePath)]);
  const routes = routeRules(haproxy, decisionVariables(haproxy.prefix, connection));
  return indent([
    filterLine(spoePath),
    '',
    ...connectionRules(haproxy, connection, 'tcp-request content'),
    '',
    // HAProxy refuses to lead a frontend in mode tcp to a backend in mode http
    ...(routes.length === 0 ? [] : ['# omit those in mode http', ...routes]),
  ]);
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
