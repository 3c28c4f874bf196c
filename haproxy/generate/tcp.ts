import type { MessageSettings, Settings } from '../../config/settings.ts';
import { isSentAt } from '../events.ts';
import { DEFAULT_SPOE_PATH, filterLine } from './frontend.ts';
import { readingOf } from './reading.ts';
import { routeRules } from './rules/route.ts';
import { connectionRules } from './rules/stop.ts';
import { unknownRules } from './rules/unknown.ts';
import { block } from './text.ts';

/** The lines of a frontend in mode tcp; empty where no message is sent there. */
export function tcpFrontendRules(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  const message = connectionMessage(settings);
  if (message === undefined && responseMessage(settings) === undefined) return '';
  return block([
    filterLine(spoePath),
    '',
    ...(message === undefined ? [] : rulesOf(settings, message, 'tcp-request content')),
    '',
    ...(message === undefined ? [] : connectionRoutes(settings, message)),
  ]);
}

/** The lines of a backend in mode tcp; the filter is that of the frontend. */
export function tcpBackendRules(settings: Settings): string {
  const message = responseMessage(settings);
  return message === undefined ? '' : block(rulesOf(settings, message, 'tcp-response content'));
}

/** HAProxy refuses to lead a frontend in mode tcp to a backend in mode http. */
function connectionRoutes(settings: Settings, message: MessageSettings): string[] {
  const rules = routeRules(settings, readingOf(settings, message));
  return rules.length === 0 ? [] : ['# leave out those in mode http', ...rules];
}

function rulesOf(
  settings: Settings,
  message: MessageSettings,
  ruleset: 'tcp-request content' | 'tcp-response content',
): string[] {
  const reading = readingOf(settings, message);
  return [
    ...unknownRules(settings, reading, { unknown: `${ruleset} reject`, refused: `${ruleset} reject` }),
    '',
    ...connectionRules(reading, ruleset),
  ];
}

function connectionMessage({ messages }: Settings): MessageSettings | undefined {
  return messages.find((message) => isSentAt(message, { mode: 'tcp', side: 'request' }));
}

function responseMessage({ messages }: Settings): MessageSettings | undefined {
  return messages.find((message) => isSentAt(message, { mode: 'tcp', side: 'response' }));
}
