import { didYouMean } from '../../config/did-you-mean.ts';
import { readsClientBytes } from '../client-bytes.ts';
import { DEFAULT_EVENT, eventFacts } from '../events.ts';
import { sendConditionOf } from '../generate/send-condition.ts';
import { namesOf, type SpoeMessage } from '../parse/spoe-engine.ts';
import { wordsOf } from '../parse/words.ts';
import type { Checks, Occurrence } from './check.ts';
import { configuredMessage, type Engine, eventOf, type Installation, sentMessages } from './installation.ts';

/** Does HAProxy send the configured messages, at their event? */
export const MESSAGE_CHECKS = {
  'message-missing': {
    severity: 'error',
    why: 'HAProxy never sends this message: requests that it would deny pass',
    write: 'spoe-message <message>',
    unless: ['message-not-configured', 'message-unknown'],
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const { name } of settings.messages)
          if (!engine.messages.some((message) => message.name === name))
            yield { place: { file: engine.file }, what: `there is no spoe-message ${name}`, values: { message: name } };
    },
  },
  'message-unknown': {
    severity: 'error',
    why: 'HAProxy refuses the file and keeps its old configuration',
    write: 'messages <messages>',
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const section of [engine.agent, ...engine.groups])
          for (const name of 'lines' in section ? namesOf(section, 'messages') : section.messages) {
            if (engine.messages.some((message) => message.name === name)) continue;
            const right = didYouMean(
              name,
              engine.messages.map((message) => message.name),
            );
            yield {
              place: 'lines' in section ? lineWith(section.lines, 'messages', name, section.place) : section.place,
              what: `there is no spoe-message ${name}`,
              values: { messages: right ?? settings.messages.map((message) => message.name).join(' ') },
            };
          }
    },
  },
  'message-unlisted': {
    severity: 'error',
    why: 'HAProxy sends only the messages in the messages line of the agent or a group, and ignores the others without a warning',
    write: 'messages <messages>',
    unless: ['message-unknown'],
    *find({ engines }) {
      for (const engine of engines) {
        const sent = sentMessages(engine);
        for (const message of engine.messages)
          if (!sent.includes(message))
            yield {
              place: message.place,
              what: `message ${message.name} is defined and never sent`,
              values: { messages: [...namesOf(engine.agent, 'messages'), message.name].join(' ') },
            };
      }
    },
  },
  'frontend-unknown': {
    severity: 'error',
    why: 'the message is sent only in the frontends of its configuration: in one of another name it never is',
    write: 'frontends: [<frontends>]   # in message <message> of the configuration',
    *find({ filters, settings, config }) {
      const names = config.proxies.filter(({ kind }) => kind !== 'backend').map(({ name }) => name);
      for (const { name, frontends = [] } of filters.length === 0 ? [] : settings.messages)
        for (const frontend of frontends)
          if (!names.includes(frontend))
            yield {
              place: filters[0]?.place ?? { file: config.files[0] ?? '' },
              what: `message ${name} is for frontend ${frontend}, which is not there`,
              values: { message: name, frontends: didYouMean(frontend, names) ?? names.join(', ') },
            };
    },
  },
  'message-not-configured': {
    severity: 'error',
    why: 'the agent sets no variable for a message that is not in its configuration',
    write: 'spoe-message <message>   # or a message of this name in the configuration of the agent',
    *find({ engines, settings }) {
      const known = settings.messages.map(({ name }) => name);
      for (const engine of engines)
        for (const { name, place } of sentMessages(engine))
          if (!known.includes(name))
            yield {
              place,
              what: `the configuration of the agent has no message ${name}`,
              values: { message: didYouMean(name, known) ?? known[0] ?? name },
            };
    },
  },
  'event-missing': {
    severity: 'error',
    why: 'a message without an event is never sent',
    write: 'event <event>',
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const message of listed(engine))
          if (message.events.length === 0)
            yield {
              place: message.place,
              what: `message ${message.name} has no event`,
              values: { event: rightEvent(message, settings) },
            };
    },
  },
  'event-repeated': {
    severity: 'error',
    why: 'a second event line replaces the first: the message is sent only at the last one',
    write: 'event <event>   # and no other in this message',
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const message of engine.messages)
          for (const { place, words } of message.events.slice(1))
            yield {
              place,
              what: `message ${message.name} already has an event before ${words[1] ?? 'this one'}`,
              values: { event: rightEvent(message, settings) },
            };
    },
  },
  'event-differs': {
    severity: 'error',
    why: 'the agent answers at another event than in its configuration: rules that run earlier find no variables',
    write: 'event <event>',
    unless: ['event-repeated'],
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const message of listed(engine)) {
          const right = configuredMessage(settings, message.name)?.event;
          const event = eventOf(message);
          if (right === undefined || event === undefined || event === right) continue;
          yield {
            place: message.events.at(-1)?.place ?? message.place,
            what: `message ${message.name} is sent at ${event}, not at ${right}`,
            values: { event: right },
          };
        }
    },
  },
  'event-before-data': {
    severity: 'error',
    why: 'HAProxy sends this event before any rule waits: what the client sends first is not there, the agent is asked about nothing, and under policy open listed clients pass',
    write:
      'group: <group>   # instead of event, in this message of the configuration; haverdict wiring then has the rules that wait and send it',
    unless: ['event-differs'],
    *find({ filters }) {
      for (const { proxy, engine } of filters)
        for (const message of engine === undefined || proxy.mode !== 'tcp' ? [] : sentMessages(engine)) {
          const { mode, side } = eventFacts(eventOf(message)) ?? {};
          const early = message.args.find(({ expression }) => readsClientBytes(expression));
          if (mode === 'tcp' && side === 'request' && early !== undefined)
            yield {
              place: early.place,
              what: `${early.expression} is sent at ${eventOf(message)}, when it is empty`,
              values: { group: /sni/.test(early.expression) ? 'sni' : 'hello' },
            };
        }
    },
  },
  'event-conditional': {
    severity: 'warning',
    why: 'the configuration does not have this condition: requests that do not match it are not checked, or denied under policy closed',
    write: 'event <event>',
    *find({ engines, settings }) {
      for (const engine of engines)
        for (const message of listed(engine)) {
          const { words = [], place = message.place } = message.events.at(-1) ?? {};
          const settled = configuredMessage(settings, message.name);
          const { condition } = settled === undefined ? {} : sendConditionOf(settled);
          const isMeant = condition !== undefined && words.slice(3).join(' ') === wordsOf(condition).join(' ');
          if (words.length > 2 && !isMeant)
            yield {
              place,
              what: `message ${message.name} is only sent ${words.slice(2).join(' ')}`,
              values: { event: words[1] ?? '' },
            };
        }
    },
  },
} satisfies Checks;

/** Messages that HAProxy sends at an event; those of groups need none. */
function listed(engine: Engine): SpoeMessage[] {
  const names = namesOf(engine.agent, 'messages');
  return engine.messages.filter(({ name }) => names.includes(name));
}

function rightEvent(message: SpoeMessage, settings: Installation['settings']): string {
  return configuredMessage(settings, message.name)?.event ?? DEFAULT_EVENT;
}

function lineWith(
  lines: Engine['agent']['lines'],
  keyword: string,
  word: string,
  fallback: Occurrence['place'],
): Occurrence['place'] {
  return lines.find(({ words }) => words[0] === keyword && words.includes(word))?.place ?? fallback;
}
