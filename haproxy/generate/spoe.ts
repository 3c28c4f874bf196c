import type { MessageSettings, Settings } from '../../config/settings.ts';
import {
  COOKIE_ARGUMENT,
  COOKIE_EXPRESSION,
  ERROR_VARIABLE,
  PROCESS_TIME_VARIABLE,
  readsCookie,
  TOTAL_TIME_VARIABLE,
} from '../variables.ts';
import { hasNativeSpop } from '../versions.ts';
import { sendConditionOf } from './send-condition.ts';
import { sendingGroup } from './sending-group.ts';

/** The scope of the SPOE file, named on the `filter` line. */
export const ENGINE = 'haverdict';
export const AGENTS_BACKEND = 'haverdict-agents';

/** How much longer than the agent's deadline HAProxy waits: for the way of the answer and for event loop lag. */
export const PROCESSING_MARGIN_MS = 20;

/** Idle connections to the agent are closed after this; the backend's `timeout server` must be longer. */
export const IDLE_SECONDS = 120;

type SpoeSettings = Pick<Settings, 'deadlineMs' | 'haproxy' | 'messages'>;

/** The SPOE file: what HAProxy asks the agent, when, and how long it waits. Valid on 2.4 to 3.5. */
export function spoeFile(settings: SpoeSettings): string {
  const { haproxy, messages } = settings;
  const groups = messages.flatMap((message) => {
    const group = sendingGroup(haproxy, message);
    return group === undefined ? [] : [groupSection(message.name, group)];
  });
  return [agentSection(settings), ...messages.map((message) => messageSection(haproxy, message)), ...groups].join('\n');
}

function agentSection({ deadlineMs, haproxy, messages }: SpoeSettings): string {
  const processing = `${deadlineMs + PROCESSING_MARGIN_MS}ms`;
  return lines([
    `[${ENGINE}]`,
    '',
    'spoe-agent haverdict-agent',
    ...listOf(
      'messages',
      messages.filter((message) => sendingGroup(haproxy, message) === undefined).map(({ name }) => name),
    ),
    ...listOf(
      'groups',
      messages.flatMap((message) => sendingGroup(haproxy, message) ?? []),
    ),
    `    option var-prefix ${haproxy.prefix}`,
    `    option set-on-error ${ERROR_VARIABLE}`,
    `    option set-process-time ${PROCESS_TIME_VARIABLE}`,
    `    option set-total-time ${TOTAL_TIME_VARIABLE}`,
    '    option dontlog-normal',
    ...(hasNativeSpop(haproxy.version) ? [] : olderSettings(processing)),
    `    # the agent answers within ${deadlineMs}ms`,
    `    timeout processing ${processing}`,
    `    use-backend ${AGENTS_BACKEND}`,
    '    log global',
  ]);
}

/** HAProxy 3.1 and later ignore these. */
function olderSettings(processing: string): string[] {
  return [
    '    # an ACK may only come on the connection of its NOTIFY, or a lost connection costs the whole timeout',
    '    no option async',
    '    # a message that is too large is one error, not a storm of connections',
    '    no option send-frag-payload',
    `    timeout hello ${processing}`,
    `    timeout idle ${IDLE_SECONDS}s`,
  ];
}

function messageSection(haproxy: SpoeSettings['haproxy'], message: MessageSettings): string {
  const { name } = message;
  const event = sendingGroup(haproxy, message) === undefined ? message.event : undefined;
  const { acls, condition } = sendConditionOf(message);
  const args = argumentsOf(message);
  return lines([
    `spoe-message ${name}`,
    ...bodyLimits(args.map(({ expression }) => expression)),
    // one line each: HAProxy takes 64 words and 2048 bytes a line, and adds up several args lines
    ...args.map(({ name, expression }) => `    args ${name}=${expression}`),
    ...(event === undefined
      ? []
      : [...acls.map((acl) => `    ${acl}`), `    event ${event}${condition === undefined ? '' : ` if ${condition}`}`]),
  ]);
}

/** The arguments of a message: subjects under their kind, arguments under their name, and the Cookie header unchanged. */
export function argumentsOf({ subjects, arguments: given }: MessageSettings): MessageSettings['arguments'] {
  const args = [...subjects.map(({ kind, expression }) => ({ name: kind, expression })), ...given];
  const sendsCookies = subjects.some(({ kind, expression }) => readsCookie(kind, expression));
  if (!sendsCookies || args.some(({ name }) => name === COOKIE_ARGUMENT)) return args;
  return [...args, { name: COOKIE_ARGUMENT, expression: COOKIE_EXPRESSION }];
}

function groupSection(message: string, group: string): string {
  return lines([`spoe-group ${group}`, `    messages ${message}`]);
}

/** Sizes with HAProxy's default buffers (seen on 2.4 to 3.5). */
function bodyLimits(expressions: readonly string[]): string[] {
  return [
    ...(expressions.some((expression) => /\breq\.body/.test(expression))
      ? [
          '    # the part of the body that fits into a buffer with the headers: up to 15 kB, or more with tune.bufsize in global;',
          '    # if all arguments together exceed max-frame-size (tune.bufsize - 4), the agent is not asked: error 3',
        ]
      : []),
    ...(expressions.some((expression) => /\bres\.body/.test(expression))
      ? ['    # the part of the body that came with the headers: often nothing']
      : []),
  ];
}

function listOf(keyword: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`    ${keyword} ${names.join(' ')}`];
}

function lines(of: readonly string[]): string {
  return `${of.join('\n')}\n`;
}
