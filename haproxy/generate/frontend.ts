import type { MessageSettings, Settings } from '../../config/settings.ts';
import { DEFAULT_EVENT, isSentAt, MESSAGE_EVENTS } from '../events.ts';
import { askedFor } from './asked.ts';
import { type Reading, readingOf } from './reading.ts';
import { requestChanges, responseChanges } from './rules/change.ts';
import { httpStops } from './rules/deny.ts';
import { groupLines } from './rules/group.ts';
import { logFormat } from './rules/log.ts';
import { referenceRule } from './rules/reference.ts';
import { refusals, tunnelRules } from './rules/refusals.ts';
import { routeRules } from './rules/route.ts';
import { stopRules } from './rules/stop.ts';
import { unknownRules } from './rules/unknown.ts';
import { ENGINE } from './spoe.ts';
import { block } from './text.ts';
import { word } from './word.ts';

export const DEFAULT_SPOE_PATH = '/etc/haproxy/haverdict.spoe.cfg';

/** The lines of an HTTP frontend that ask the agent and obey what it decides. */
export function frontendRules(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  const { messages } = settings;
  const requests = inOrder(messages.filter(isForFrontend));
  const responses = messages.filter((message) => isSentAt(message, { side: 'response' }));
  return block([
    filterLine(spoePath),
    ...(messages.some(sendsBody) ? ['# or the body would be sent as far as it came with the headers', BUFFERED] : []),
    '',
    ...tunnelRules(settings),
    '',
    ...refusals(settings, requests),
    '',
    ...requests.flatMap((message) => [...requestRules(settings, message), '']),
    ...responses.flatMap((message) => [...responseRules(settings, message), '']),
    ...responseHeaderRules(settings),
    '',
    '# to have what is decided in the log: option httplog with action, source, reason and reference id',
    `# ${logFormat([...requests, ...responses].map((message) => readingOf(settings, message)))}`,
  ]);
}

/** The lines of a frontend that choose the backend, which must stand below all its http-request rules. */
export function frontendRoutes(settings: Settings): string {
  const latestFirst = inOrder(settings.messages.filter(isForFrontend)).reverse();
  return block(latestFirst.flatMap((message) => routeRules(settings, readingOf(settings, message))));
}

export function filterLine(spoePath: string): string {
  return `filter spoe engine ${ENGINE} config ${word(spoePath)}`;
}

const BUFFERED = 'option http-buffer-request';

function requestRules(settings: Settings, message: MessageSettings): string[] {
  const reading = readingOf(settings, message);
  return [
    ...heading(settings, message),
    ...askedFor(message).acls,
    ...(message.group === undefined ? [] : groupLines(message, message.group)),
    ...unknownRules(settings, reading, httpStops(settings, 'http-request')),
    '',
    ...stopRules(settings, reading, 'http-request'),
    '',
    ...requestChanges(settings, reading),
  ];
}

function responseRules(settings: Settings, message: MessageSettings): string[] {
  const reading = readingOf(settings, message);
  return [
    ...heading(settings, message),
    ...unknownRules(settings, reading, httpStops(settings, 'http-response')),
    '',
    ...stopRules(settings, reading, 'http-response'),
  ];
}

/** What was decided when the backend was chosen, is kept under the names of the frontend. */
function responseHeaderRules(settings: Settings): string[] {
  const { messages } = settings;
  const own = unique(messages.map((message) => readingOf(settings, keptBy(message))));
  const rules = own.flatMap((reading) => responseChanges(settings, reading));
  return [
    ...(rules.length === 0 ? [] : ['# headers of the response, changed as the entry says', ...rules, '']),
    '# a denied client can name the reference id, which is in the log of the agent',
    ...own.map(referenceRule),
  ];
}

function keptBy(message: MessageSettings): MessageSettings {
  return isSentAt(message, { section: 'backend' }) ? { ...message, event: DEFAULT_EVENT } : message;
}

function unique(readings: readonly Reading[]): Reading[] {
  return [...new Map(readings.map((reading) => [reading.variable(''), reading])).values()];
}

function isForFrontend(message: MessageSettings): boolean {
  return message.event === undefined || isSentAt(message, { section: 'frontend' });
}

/** In the order in which HAProxy sends them: groups are sent by rules, after all events of the frontend. */
function inOrder(messages: readonly MessageSettings[]): MessageSettings[] {
  const at = ({ event }: MessageSettings) =>
    event === undefined ? MESSAGE_EVENTS.length : MESSAGE_EVENTS.indexOf(event);
  return [...messages].sort((one, other) => at(one) - at(other));
}

function heading({ messages }: Settings, { name, event, group }: MessageSettings): string[] {
  if (messages.length === 1 && group === undefined) return [];
  return [`# ---- message ${name}: ${event ?? `group ${group}`} ----`];
}

export function sendsBody({ subjects, arguments: given }: MessageSettings): boolean {
  return [...subjects, ...given].some(({ expression }) => /\breq\.body/.test(expression));
}
