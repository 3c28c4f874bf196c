import type { MessageSettings, Settings } from '../config/settings.ts';
import { ERROR_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE } from '../vocabulary.ts';
import { hasNativeSpop } from './version.ts';

/** The scope of the SPOE file, named on the `filter` line. */
export const ENGINE = 'haverdict';
export const AGENTS_BACKEND = 'haverdict-agents';

/** How much later than the agent HAProxy gives up: the way of the answer, and a late turn of an event loop. */
export const PROCESSING_MARGIN_MS = 20;

/** Idle connections to the agent are closed after this; the backend's `timeout server` must be longer. */
export const IDLE_SECONDS = 120;

/** The SPOE file: what HAProxy asks the agent, when, and how long it waits. Valid on 2.4 to 3.5. */
export function spoeFile(settings: Settings): string {
  return [agentSection(settings), ...settings.messages.map(messageSection)].join('\n');
}

function agentSection(settings: Settings): string {
  const processing = `${settings.deadlineMs + PROCESSING_MARGIN_MS}ms`;
  return lines([
    `[${ENGINE}]`,
    '',
    'spoe-agent haverdict-agent',
    `    messages ${settings.messages.map(({ name }) => name).join(' ')}`,
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

function messageSection({ name, event, subjects }: MessageSettings): string {
  return lines([
    `spoe-message ${name}`,
    // one line each: HAProxy takes 64 words and 2048 bytes a line, and goes on where the last one ended
    ...subjects.map(({ kind, expression }) => `    args ${kind}=${expression}`),
    `    event ${event}`,
  ]);
}

function lines(of: readonly string[]): string {
  return `${of.join('\n')}\n`;
}
