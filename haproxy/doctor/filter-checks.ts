import { eventFacts, isSentAt } from '../events.ts';
import { sendingGroup } from '../generate/sending-group.ts';
import { ENGINE } from '../generate/spoe.ts';
import { optionOf, type ProxySection } from '../parse/proxy.ts';
import { readServers } from '../parse/server.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import type { Checks, Occurrence } from './check.ts';
import { chosenBackends } from './chosen-backends.ts';
import { isEntrance } from './entrance.ts';
import {
  configuredMessage,
  eventOf,
  type Filter,
  guardedMessages,
  type Installation,
  sentMessages,
} from './installation.ts';
import { backendsBehind, guardedTargets, isDynamic, reachableTargets, targetsOf } from './passage.ts';
import { rulesReadingDecisions } from './variable-reads.ts';

/** Where there is nothing of HTTP. */
export const HTTP_MODE =
  'mode http   # if HAProxy reads HTTP here; where it passes TLS through, the part tcp-frontend of haverdict wiring instead';

/** Does HAProxy send its traffic to the agent at all? */
export const FILTER_CHECKS = {
  'filter-missing': {
    severity: 'error',
    why: 'without the filter HAProxy never asks the agent: everything passes',
    write: 'filter spoe engine <engine> config <file>',
    *find({ filters, foreign, config }) {
      if (filters.length > 0) return;
      const first = config.proxies.find(({ kind }) => kind !== 'backend');
      const place = first?.place ?? { file: config.files[0] ?? '' };
      const unread = [...new Set(foreign.flatMap(({ text, engineName }) => (text === undefined ? engineName : [])))];
      const but = unread.length === 0 ? '' : ` (the file of engine ${unread.join(', ')} cannot be read)`;
      yield { place, what: `no section has a filter that asks this agent${but}`, values: FILTER_VALUES };
    },
  },
  'filter-missing-here': {
    severity: 'error',
    why: 'the rules of this section read variables that are never set for its requests: none of them ever applies',
    write: 'filter spoe engine <engine> config <file>',
    unless: ['event-in-backend'],
    *find(installation) {
      const { config, filters } = installation;
      for (const proxy of filters.length === 0 ? [] : config.proxies) {
        const [rule] = rulesReadingDecisions(proxy, installation);
        if (rule === undefined || isGuarded(proxy, installation) || !isUsed(proxy, installation)) continue;
        yield {
          place: rule.place,
          what: `${label(proxy)} reads a decision that it never asks for`,
          values: valuesOf(filters[0]),
        };
      }
    },
  },
  'frontend-unguarded': {
    severity: 'warning',
    why: 'requests that arrive here reach the same backend without being checked',
    write: 'filter spoe engine <engine> config <file>',
    *find(installation) {
      const { config, filters } = installation;
      const guarded = new Set(
        filters.flatMap(({ proxy }) => guardedTargets(proxy, chosenBackends(proxy, installation, true))),
      );
      for (const proxy of filters.length === 0 ? [] : config.proxies) {
        if (proxy.kind === 'backend' || filters.some((filter) => filter.proxy === proxy)) continue;
        if (isMentioned(proxy, installation) || !isEntrance(proxy, installation)) continue;
        const shared = reachableTargets(proxy, chosenBackends(proxy, installation, false)).find((name) =>
          guarded.has(name),
        );
        if (shared === undefined || filters.some((filter) => asksAsBackend(filter, shared, installation))) continue;
        yield {
          place: proxy.place,
          what: `${label(proxy)} uses ${shared} and has no filter`,
          values: valuesOf(filters[0]),
        };
      }
    },
  },
  'filter-without-backend': {
    severity: 'warning',
    why: 'requests that are passed on are never checked: the filter is only where none is, such as a page of statistics',
    write:
      'filter spoe engine <engine> config <file>   # in the frontends to be guarded, with the other rules of the part frontend',
    unless: ['frontend-unguarded', 'event-in-backend'],
    *find({ config, filters }) {
      const [first] = filters;
      if (first === undefined || filters.some(({ proxy }) => proxy.kind === 'backend' || passesOn(proxy))) return;
      const others = config.proxies.filter(
        (other) => other.kind !== 'backend' && other.mode === first.proxy.mode && passesOn(other),
      );
      if (others.length > 0)
        yield {
          place: first.place,
          what: `${label(first.proxy)} passes nothing on, unlike ${others.map(label).join(', ')}`,
          values: valuesOf(first),
        };
    },
  },
  'frontend-not-asked': {
    severity: 'error',
    why: 'a message of the configuration is for this frontend, but without the filter HAProxy never asks the agent there',
    write:
      'filter spoe engine <engine> config <file>   # in <section>, with the other rules of this part of haverdict wiring',
    *find(installation) {
      const { config, filters, settings } = installation;
      for (const proxy of filters.length === 0 ? [] : config.proxies) {
        const message = settings.messages.find(({ frontends }) => frontends?.includes(proxy.name));
        if (proxy.kind === 'backend' || message === undefined) continue;
        if (filters.some((filter) => filter.proxy === proxy)) continue;
        if (rulesReadingDecisions(proxy, installation).length > 0) continue;
        yield {
          place: proxy.place,
          what: `message ${message.name} is for ${label(proxy)}, which has no filter`,
          values: { ...valuesOf(filters[0]), section: label(proxy) },
        };
      }
    },
  },
  'filter-repeated': {
    severity: 'error',
    why: 'HAProxy refuses two filters of one engine in a section, and keeps its old configuration',
    write: '<filter>   # once in <section>, and each part of haverdict wiring once',
    *find({ filters }) {
      const sure = filters.filter(({ isUnsure }) => !isUnsure);
      for (const [at, { proxy, engineName, place, file }] of sure.entries())
        if (sure.slice(0, at).some((other) => other.proxy === proxy && other.engineName === engineName))
          yield {
            place,
            what: `${label(proxy)} has a filter of engine ${engineName} already`,
            values: { filter: `filter spoe engine ${engineName} config ${file}`, section: label(proxy) },
          };
    },
  },
  'spoe-file-missing': {
    severity: 'error',
    why: 'HAProxy does not start without the file, or keeps an older one until it is restarted',
    write:
      'run haverdict wiring -c FILE --out FOLDER, then use the path of the file it wrote: filter spoe engine <engine> config <file>',
    *find({ filters }) {
      for (const { place, file, text, engineName } of filters)
        if (text === undefined && !hasEnvironmentVariable(file))
          yield {
            place,
            what: `${file || 'the SPOE file'} cannot be read`,
            values: { engine: engineName || ENGINE, file: `FOLDER/haverdict.spoe.cfg` },
          };
    },
  },
  'engine-unknown': {
    severity: 'error',
    why: 'HAProxy reads only the part of the file under the [scope] of the engine that the filter names',
    write: '[<engine>]',
    *find({ filters }) {
      for (const { place, file, text, engine, engineName } of filters)
        if (text !== undefined && engine === undefined)
          yield { place, what: `${file} has no spoe-agent under [${engineName}]`, values: { engine: engineName } };
    },
  },
  'last-line-unfinished': {
    severity: 'error',
    why: 'HAProxy refuses a file whose last line has no line feed, and keeps its old configuration',
    write: 'a line feed at the end of <file>',
    *find({ texts, filters }) {
      for (const { file, text } of [...texts, ...filters])
        if (text !== undefined && text !== '' && !text.endsWith('\n'))
          yield {
            place: { file, line: text.split('\n').length },
            what: 'the last line has no line feed',
            values: { file },
          };
    },
  },
  'event-in-backend': {
    severity: 'error',
    why: 'a filter in a backend never sees the events of the frontend: the message is not sent',
    write: 'filter spoe engine <engine> config <file>   # in the frontend',
    *find({ filters }) {
      for (const filter of filters)
        if (filter.proxy.kind === 'backend')
          for (const { what } of sentAt(filter, (event) => event?.section === 'frontend'))
            yield { place: filter.place, what: `${what} in ${label(filter.proxy)}`, values: valuesOf(filter) };
    },
  },
  'event-needs-http': {
    severity: 'error',
    why: 'in mode tcp there is no HTTP event: the message is never sent and everything passes',
    write: HTTP_MODE,
    *find({ filters, settings }) {
      for (const filter of filters) {
        if (filter.proxy.mode !== 'tcp') continue;
        const hasOther = sentAt(filter, (event) => event?.mode !== 'http').length > 0;
        for (const { name, what } of sentAt(filter, (event) => event?.mode === 'http'))
          if (!hasOther || configuredMessage(settings, name)?.frontends?.includes(filter.proxy.name))
            yield { place: filter.place, what: `${what} in ${label(filter.proxy)}, which is in mode tcp` };
      }
    },
  },
  'body-unbuffered': {
    severity: 'warning',
    why: 'the agent receives only the part of the body that arrived with the headers',
    write: 'option http-buffer-request',
    *find({ filters }) {
      for (const { proxy, engine } of filters) {
        if (engine === undefined || proxy.mode !== 'http' || optionOf(proxy.lines, 'http-buffer-request')?.on) continue;
        if (proxy.rules.some(({ action }) => action === 'wait-for-body')) continue;
        for (const message of sentMessages(engine))
          for (const { place, expression } of message.args)
            if (/\breq\.body/.test(expression)) yield { place, what: `${expression} is sent without waiting for it` };
      }
    },
  },
} satisfies Checks;

const FILTER_VALUES = { engine: ENGINE, file: '/etc/haproxy/haverdict.spoe.cfg' };

export function label({ kind, name }: ProxySection): string {
  return `${kind} ${name}`;
}

function valuesOf(filter: Filter | undefined): NonNullable<Occurrence['values']> {
  if (filter === undefined) return FILTER_VALUES;
  return { engine: filter.engineName, file: filter.file };
}

/** The messages of a filter that are sent at such an event, and that in words. */
function sentAt({ engine }: Filter, isMeant: (event: ReturnType<typeof eventFacts>) => boolean) {
  return (engine === undefined ? [] : sentMessages(engine))
    .filter((message) => isMeant(eventFacts(eventOf(message))))
    .map((message) => ({ name: message.name, what: `message ${message.name} is sent at ${eventOf(message)}` }));
}

/** Whether the section has a filter, or is a backend used by a section with one. */
function isGuarded(proxy: ProxySection, { filters, config }: Installation): boolean {
  return filters.some((filter) => filter.proxy === proxy || backendsBehind(filter.proxy, config).includes(proxy));
}

/**
 * Whether a section of this name with a filter asks about the requests of other sections, too: what HAProxy sends at an event of
 * the frontend it does not send where a `listen` section is the backend of another.
 */
function asksAsBackend(filter: Filter, name: string, installation: Installation): boolean {
  const { haproxy } = installation.settings;
  const sent = guardedMessages(installation).filter((guarded) => guarded.filter === filter);
  return (
    filter.proxy.name === name &&
    !sent.some(
      ({ message }) => sendingGroup(haproxy, message) === undefined && isSentAt(message, { section: 'frontend' }),
    )
  );
}

/** Whether other findings say already that it has no filter. */
function isMentioned(proxy: ProxySection, installation: Installation): boolean {
  const { messages } = installation.settings;
  return (
    rulesReadingDecisions(proxy, installation).length > 0 ||
    messages.some(({ frontends }) => frontends?.includes(proxy.name))
  );
}

/** Whether requests of this section are passed on. */
function passesOn(proxy: ProxySection): boolean {
  return readServers(proxy.lines).length > 0 || targetsOf(proxy).length > 0 || isDynamic(proxy);
}

/** Whether a request can get to this section. */
function isUsed(proxy: ProxySection, { config }: Installation): boolean {
  return proxy.kind !== 'backend' || config.proxies.some((other) => backendsBehind(other, config).includes(proxy));
}
