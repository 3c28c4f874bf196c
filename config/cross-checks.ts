import type { Policy } from '../contract/policy.ts';
import { DEFAULT_EVENT, type Event, eventFacts, isSentAt, MESSAGE_EVENTS, scopeOf } from '../haproxy/events.ts';
import { isAboutAddressAlone } from '../haproxy/recent.ts';
import {
  COOKIE_ARGUMENT,
  COOKIE_EXPRESSION,
  MAX_NAME,
  MAX_VARIABLE,
  readsCookie,
  VARIABLES,
  varsOf,
} from '../haproxy/vocabulary.ts';
import { backendCrossChecks } from './backend-cross-checks.ts';
import { bindConflicts } from './bind-conflicts.ts';
import type { Finding } from './findings.ts';
import { toListSettings } from './lists.ts';
import { fetchesOf, rawFetchIn } from './raw-fetches.ts';
import { sampleProblem } from './sample-expression.ts';
import type { ConfigFile } from './schema.ts';

type Message = ConfigFile['messages'][string];

/** An action that unsets a variable, beside its name. */
const UNSET_BYTES = 4;
/** Of the 790 that an answer may have at HAProxy's usual frame size; the names of eight headers and all others fit. */
const MAX_TAKEN_BACK_BYTES = 600;

/** What is wrong between settings that are right one by one. */
export function crossChecks(file: ConfigFile, written: unknown): Finding[] {
  const messages = Object.entries(file.messages);
  return [
    ...backendCrossChecks(file.backend, written),
    ...bindConflicts(file),
    ...messages.flatMap(([name, message]) => typos(name, message, file.haproxy)),
    ...unknownTrials(file),
    ...messages.flatMap(([name, message]) => unasked(name, message, file.script)),
    ...messages.flatMap(([name, message]) => unsentKinds(name, message)),
    ...messages.flatMap(([name, message]) => takenNames(name, message)),
    ...takenPlaces(messages),
    ...closedGroups(messages, file.policy),
    ...messages.flatMap(([name, message]) => rawConditions(name, message)),
    ...messages.flatMap(([name, message]) => withoutRequest(name, message)),
    ...messages.flatMap(([name, message]) => takenCookies(name, message)),
    ...nobodyRecent(messages, file.haproxy),
    ...longNames(messages, file.haproxy),
    ...takenBack(messages, file.haproxy),
  ];
}

/** What HAProxy cannot know either; whatever it may know is a warning of `--check`. */
function typos(name: string, message: Message, { version }: ConfigFile['haproxy']): Finding[] {
  return (['subjects', 'arguments'] as const).flatMap((part) =>
    Object.entries(message[part]).flatMap(([key, expression]) => {
      const problem = sampleProblem(expression, version);
      return problem?.isTypo ? [wrong(['messages', name, part, key], problem.message)] : [];
    }),
  );
}

function unknownTrials({ lists: written, shadowLists }: ConfigFile): Finding[] {
  const { lists } = toListSettings(written);
  return shadowLists.flatMap((list, index) =>
    lists.includes(list)
      ? []
      : [wrong(['shadowLists', index], `must be one of lists, ${lists.join(', ')}, got "${list}"`)],
  );
}

/** Nothing would ever be known, so that the policy would decide all of it. */
function unasked(name: string, { subjects, arguments: given }: Message, script: string | undefined): Finding[] {
  if (Object.keys(subjects).length > 0 || (script !== undefined && Object.keys(given).length > 0)) return [];
  const message =
    'must be a map of at least one kind: a message with arguments only is decided by a script, and `script` is not set';
  return [wrong(['messages', name, 'subjects'], message)];
}

/** Every request would be refused. */
function unsentKinds(name: string, { subjects, required }: Message): Finding[] {
  return required.flatMap((kind, index) => {
    if (Object.hasOwn(subjects, kind)) return [];
    const message = `must be one of the subjects of this message, ${Object.keys(subjects).join(', ')}, got "${kind}"`;
    return [wrong(['messages', name, 'required', index], message)];
  });
}

/** On the wire a subject is an argument with the name of its kind. */
function takenNames(name: string, { subjects, arguments: given }: Message): Finding[] {
  return Object.keys(given)
    .filter((argument) => Object.hasOwn(subjects, argument))
    .map((argument) => ({
      path: ['messages', name, 'arguments', argument],
      part: 'key',
      message: `must have another name: ${argument} is a subject of this message, and the script receives it anyway`,
    }));
}

/** One message a scope and one a group, so that no decision is mistaken for another. */
function takenPlaces(messages: readonly (readonly [string, Message])[]): Finding[] {
  const owners = new Map<string, string>();
  return messages.flatMap(([name, message]) => {
    const place = placeOf(message);
    const owner = owners.get(place);
    owners.set(place, owner ?? name);
    return owner === undefined
      ? []
      : [{ path: ['messages', name], part: 'key', message: takenBy(owner, place, message) }];
  });
}

/** Whoever is not asked must not pass under `closed`, and only the condition says who has to be asked. */
function closedGroups(messages: readonly (readonly [string, Message])[], global: Policy): Finding[] {
  return messages.flatMap(([name, { group, condition, paths, hosts, shadow, policy = global }]) =>
    group === undefined || (condition ?? paths ?? hosts) !== undefined || shadow || policy.default === 'open'
      ? []
      : [
          wrong(
            ['messages', name, 'condition'],
            'must be set for a group under policy closed, or paths or hosts: they say which requests have to be asked about, and the others pass',
          ),
        ],
  );
}

/** Whether to ask is a decision, and must not be passed by a spelling. */
function rawConditions(name: string, { event, condition }: Message): Finding[] {
  const raw = rawFetchIn(fetchesOf(condition ?? ''), eventFacts(event)?.mode === 'tcp');
  if (raw === undefined) return [];
  const instead = 'write paths: [/admin/*] or hosts: [admin.example] in this message, which hold for every spelling';
  return [
    wrong(
      ['messages', name, 'condition'],
      `must not read path, URL or Host as the client spells them, got ${raw}: ${instead}`,
    ),
  ];
}

/** HAProxy has path and Host of a request only while it handles the request. */
function withoutRequest(name: string, { event, paths, hosts }: Message): Finding[] {
  if (event === undefined || isHttpRequest(event) || (paths ?? hosts) === undefined) return [];
  const key = paths === undefined ? 'hosts' : 'paths';
  return [
    wrong(
      ['messages', name, key],
      `must be left out at ${event}, where HAProxy has no ${key}: they go with ${MESSAGE_EVENTS.filter(isHttpRequest).join(', ')} or a group`,
    ),
  ];
}

/** Beside the last value of a cookie the wiring sends the whole header, under a name of its own. */
function takenCookies(name: string, { subjects, arguments: given }: Message): Finding[] {
  const expression = Object.hasOwn(given, COOKIE_ARGUMENT) ? given[COOKIE_ARGUMENT] : undefined;
  const sends = Object.entries(subjects).some(([kind, of]) => readsCookie(kind, of));
  if (!sends || expression === undefined || expression === COOKIE_EXPRESSION) return [];
  return [
    wrong(
      ['messages', name, 'arguments', COOKIE_ARGUMENT],
      `must be ${COOKIE_EXPRESSION} or have another name: the wiring sends that as ${COOKIE_ARGUMENT} where a cookie is a subject`,
    ),
  ];
}

function takenBy(owner: string, place: string, { group }: Message): string {
  if (group !== undefined) return `must have a group of its own: ${owner} is sent by ${group} already`;
  const free = MESSAGE_EVENTS.filter((event) => scopeOf(event) !== place);
  return `must be sent at another event than ${owner}, as both would set the variables of ${place}: at ${free.join(', ')}, or by a group`;
}

/**
 * The variables of a connection outlive the request, so each answer about it unsets what it does not say. That has to fit
 * into an answer beside what it does say.
 */
function takenBack(messages: readonly (readonly [string, Message])[], haproxy: ConfigFile['haproxy']): Finding[] {
  const name = messages.find(([, message]) => scopeOf(message.event) === 'sess')?.[0];
  const names = [...new Set([...Object.values(VARIABLES), ...varsOf(haproxy).values()])];
  const bytes = names.reduce((sum, each) => sum + UNSET_BYTES + each.length, 0);
  if (name === undefined || bytes <= MAX_TAKEN_BACK_BYTES) return [];
  const key = haproxy.requestHeaders.length > 0 ? 'requestHeaders' : 'responseHeaders';
  const limit = `must have fewer or shorter names where a message (${name}) is about a connection`;
  return [
    wrong(['haproxy', key], `${limit}: to unset them all takes ${bytes} bytes, the limit is ${MAX_TAKEN_BACK_BYTES}`),
  ];
}

/** Only who passed by the address alone would pass again. */
function nobodyRecent(
  messages: readonly (readonly [string, Message])[],
  { recentSeconds }: ConfigFile['haproxy'],
): Finding[] {
  const isAny = messages.some(([, { event, group, subjects, arguments: given }]) =>
    isAboutAddressAlone({ event, group, kinds: Object.keys(subjects), argumentCount: Object.keys(given).length }),
  );
  if (recentSeconds === 0 || isAny) return [];
  return [
    wrong(
      ['haproxy', 'recentSeconds'],
      `must be 0: no message at ${DEFAULT_EVENT} or of a group has ip as its only subject, and no arguments`,
    ),
  ];
}

/** HAProxy never sets what is longer, without a word (flt_spoe.c). */
function longNames(messages: readonly (readonly [string, Message])[], haproxy: ConfigFile['haproxy']): Finding[] {
  const longest = [...Object.values(VARIABLES), ...varsOf(haproxy).values()].reduce(longer);
  return messages
    .flatMap(([name, message]) => {
      const own = message.group === undefined ? longest : `${message.group}.${longest}`;
      if (own.length > MAX_NAME)
        return [
          wrong(
            ['messages', name, 'group'],
            `must be shorter, or the header: ${own} has ${own.length} characters, the limit is ${MAX_NAME}`,
          ),
        ];
      const scope = scopeOf(message.event);
      const most = MAX_VARIABLE - `${scope}..${own}`.length;
      if (haproxy.prefix.length <= most) return [];
      const limit = `must have at most ${most} characters, so that ${scope}.PREFIX.${own} has no more than ${MAX_VARIABLE}`;
      return [wrong(['haproxy', 'prefix'], `${limit}, got "${haproxy.prefix}"`)];
    })
    .slice(0, 1);
}

function placeOf(message: Message): string {
  return message.group === undefined ? scopeOf(message.event) : `group ${message.group}`;
}

function isHttpRequest(event: Event): boolean {
  return isSentAt({ event }, { mode: 'http', side: 'request' });
}

function longer(one: string, other: string): string {
  return other.length > one.length ? other : one;
}

function wrong(path: readonly PropertyKey[], message: string): Finding {
  return { path, part: 'value', message };
}
