import type { MessageSettings, Settings } from '../../config/settings.ts';
import { agentSection, groupSection, messageSection } from '../../spop/haproxy/spoe-sections.ts';
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

type SpoeSettings = Pick<Settings, 'deadlineMs' | 'haproxy' | 'messages'>;

/** The SPOE file: what HAProxy asks the agent, when, and how long it waits. Valid on 2.4 to 3.5. */
export function spoeFile({ deadlineMs, haproxy, messages }: SpoeSettings): string {
  const groups = messages.flatMap((message) => {
    const group = sendingGroup(haproxy, message);
    return group === undefined ? [] : [{ message: message.name, group }];
  });
  const agent = agentSection({
    engine: ENGINE,
    agent: 'haverdict-agent',
    messages: messages.filter((message) => sendingGroup(haproxy, message) === undefined).map(({ name }) => name),
    groups: groups.map(({ group }) => group),
    prefix: haproxy.prefix,
    variables: { error: ERROR_VARIABLE, processTime: PROCESS_TIME_VARIABLE, totalTime: TOTAL_TIME_VARIABLE },
    deadlineMs,
    backend: AGENTS_BACKEND,
    isNative: hasNativeSpop(haproxy.version),
  });
  return [
    agent,
    ...messages.map((message) => sectionOf(haproxy, message)),
    ...groups.map(({ message, group }) => groupSection(group, message)),
  ].join('\n');
}

function sectionOf(haproxy: SpoeSettings['haproxy'], message: MessageSettings): string {
  const { name, event } = message;
  const args = argumentsOf(message);
  if (sendingGroup(haproxy, message) !== undefined || event === undefined) return messageSection({ name, args });
  const { acls, condition } = sendConditionOf(message);
  return messageSection({ name, args, acls, event: condition === undefined ? event : `${event} if ${condition}` });
}

/** The arguments of a message: subjects under their kind, arguments under their name, and the Cookie header unchanged. */
export function argumentsOf({ subjects, arguments: given }: MessageSettings): MessageSettings['arguments'] {
  const args = [...subjects.map(({ kind, expression }) => ({ name: kind, expression })), ...given];
  const sendsCookies = subjects.some(({ kind, expression }) => readsCookie(kind, expression));
  if (!sendsCookies || args.some(({ name }) => name === COOKIE_ARGUMENT)) return args;
  return [...args, { name: COOKIE_ARGUMENT, expression: COOKIE_EXPRESSION }];
}
