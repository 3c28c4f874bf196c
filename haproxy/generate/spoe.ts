import type { MessageSettings, Settings } from '../../config/settings.ts';
import { hasNativeSpop } from '../versions.ts';
import {
  COOKIE_ARGUMENT,
  COOKIE_EXPRESSION,
  ERROR_VARIABLE,
  PROCESS_TIME_VARIABLE,
  readsCookie,
  TOTAL_TIME_VARIABLE,
} from '../vocabulary.ts';
import { askedFor } from './asked.ts';

/** The scope of the SPOE file, named on the `filter` line. */
export const ENGINE = 'haverdict';
export const AGENTS_BACKEND = 'haverdict-agents';

/** How much later than the agent HAProxy gives up: the way of the answer, and a late turn of an event loop. */
export const PROCESSING_MARGIN_MS = 20;

/** Idle connections to the agent are closed after this; the backend's `timeout server` must be longer. */
export const IDLE_SECONDS = 120;

/** The SPOE file: what HAProxy asks the agent, when, and how long it waits. Valid on 2.4 to 3.5. */
export function spoeFile(settings: Settings): string {
  const groups = settings.messages.flatMap(({ name, group }) =>
    group === undefined ? [] : [groupSection(name, group)],
  );
  return [agentSection(settings), ...settings.messages.map(messageSection), ...groups].join('\n');
}

function agentSection(settings: Settings): string {
  const processing = `${settings.deadlineMs + PROCESSING_MARGIN_MS}ms`;
  return lines([
    `[${ENGINE}]`,
    '',
    'spoe-agent haverdict-agent',
    ...listOf(
      'messages',
      settings.messages.filter(({ group }) => group === undefined).map(({ name }) => name),
    ),
    ...listOf(
      'groups',
      settings.messages.flatMap(({ group }) => group ?? []),
    ),
    `    option var-prefix ${settings.haproxy.prefix}`,
    `    option set-on-error ${ERROR_VARIABLE}`,
    `    option set-process-time ${PROCESS_TIME_VARIABLE}`,
    `    option set-total-time ${TOTAL_TIME_VARIABLE}`,
    '    option dontlog-normal',
    ...(hasNativeSpop(settings.haproxy.version) ? [] : olderSettings(processing)),
    `    # the agent answers within ${settings.deadlineMs}ms`,
    `    timeout processing ${processing}`,
    `    use-backend ${AGENTS_BACKEND}`,
    '    log global',
  ]);
}

/** HAProxy 3.1 has none of these any more; it would read and ignore them. */
function olderSettings(processing: string): string[] {
  return [
    '    # an ACK may only come on the connection that asked, or a lost connection costs the whole timeout',
    '    no option async',
    '    # a message that is too large is an error of its own, not a storm of connections',
    '    no option send-frag-payload',
    `    timeout hello ${processing}`,
    `    timeout idle ${IDLE_SECONDS}s`,
  ];
}

function messageSection(message: MessageSettings): string {
  const { name, event } = message;
  const { acls, condition } = askedFor(message);
  const args = argumentsOf(message);
  return lines([
    `spoe-message ${name}`,
    ...bodyLimits(args.map(({ expression }) => expression)),
    // one line each: HAProxy takes 64 words and 2048 bytes a line, and goes on where the last one ended
    ...args.map(({ name, expression }) => `    args ${name}=${expression}`),
    ...(event === undefined
      ? []
      : [...acls.map((acl) => `    ${acl}`), `    event ${event}${condition === undefined ? '' : ` if ${condition}`}`]),
  ]);
}

/** What HAProxy sends of a message: subjects under their kind, arguments under their name, and cookies as they came. */
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
          '    # the body as far as it fits a buffer with the headers: 15 kB at most, or more with tune.bufsize in global;',
          '    # where all arguments together are above max-frame-size (tune.bufsize - 4), nothing is asked: error 3',
        ]
      : []),
    ...(expressions.some((expression) => /\bres\.body/.test(expression))
      ? ['    # as much of the body as has come with the headers: often nothing']
      : []),
  ];
}

function listOf(keyword: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`    ${keyword} ${names.join(' ')}`];
}

function lines(of: readonly string[]): string {
  return `${of.join('\n')}\n`;
}
