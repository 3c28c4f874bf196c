import type { Policy } from '../contract/policy.ts';
import { isConnectionGroup } from '../haproxy/client-bytes.ts';
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
} from '../haproxy/variables.ts';
import { MAX_SERVER_PATH_BYTES, serverAddress } from '../spop/haproxy/server-address.ts';
import { backendCrossChecks } from './backend-cross-checks.ts';
import { bindConflicts } from './bind-conflicts.ts';
import type { Finding } from './findings.ts';
import { toListSettings } from './list-settings.ts';
import { fetchesOf, rawFetchIn } from './raw-fetches.ts';
import { sampleProblem } from './sample-expression.ts';
import type { ConfigFile } from './schema.ts';

type Message = ConfigFile['messages'][string];

/** The size of an unset-var action, without the name. */
const UNSET_BYTES = 4;
/** Of the 790 bytes of an answer at HAProxy's default frame size; leaves room for eight headers besides the other names. */
const MAX_UNSET_BYTES = 600;

/** HAProxy takes 64 words a line, of which the rule itself has up to 6. */
const MAX_CONDITION_WORDS = 58;

/** Checks settings against each other that are valid one by one. */
export function crossChecks(file: ConfigFile, written: unknown): Finding[] {
  const messages = Object.entries(file.messages);
  return [
    ...backendCrossChecks(file.backend, written),
    ...bindConflicts(file),
    ...longSocketPaths(file),
    ...messages.flatMap(([name, message]) => typos(name, message, file.haproxy)),
    ...unknownShadowLists(file),
    ...messages.flatMap(([name, message]) => withoutSubjects(name, message, file.script)),
    ...messages.flatMap(([name, message]) => unknownRequiredKinds(name, message)),
    ...messages.flatMap(([name, message]) => argumentsNamedAsSubjects(name, message)),
    ...sharedVariables(messages),
    ...unconditionalClosedGroups(messages, file.policy),
    ...messages.flatMap(([name, message]) => rawConditions(name, message)),
    ...messages.flatMap(([name, message]) => withoutRequest(name, message)),
    ...messages.flatMap(([name, message]) => longConditions(name, message, file.policy)),
    ...messages.flatMap(([name, message]) => cookieArgumentConflicts(name, message)),
    ...uselessRecentSeconds(messages, file.haproxy),
    ...longNames(messages, file.haproxy),
    ...unsetBytes(messages, file.haproxy),
  ];
}

/** The agent could listen there, and HAProxy not connect to it. */
function longSocketPaths({ listen, haproxy: { servers, chroot } }: ConfigFile): Finding[] {
  const [part, addresses] =
    servers.length > 0 ? ([['haproxy', 'servers'], servers] as const) : ([['listen'], listen] as const);
  return addresses.flatMap((address, index) => {
    const bytes = address.type === 'unix' ? serverAddress(address, chroot).length - 'unix@'.length : 0;
    if (bytes <= MAX_SERVER_PATH_BYTES) return [];
    const limit = `must have at most ${MAX_SERVER_PATH_BYTES} bytes where HAProxy connects to it, got ${bytes}`;
    return [wrong([...part, index], limit)];
  });
}

/** Only names that no HAProxy has; those that a newer one may have are warnings of `--check`. */
function typos(name: string, message: Message, { version }: ConfigFile['haproxy']): Finding[] {
  return (['subjects', 'arguments'] as const).flatMap((part) =>
    Object.entries(message[part]).flatMap(([key, expression]) => {
      const problem = sampleProblem(expression, version);
      return problem?.isTypo ? [wrong(['messages', name, part, key], problem.message)] : [];
    }),
  );
}

function unknownShadowLists({ lists: written, shadowLists }: ConfigFile): Finding[] {
  const { lists } = toListSettings(written);
  return shadowLists.flatMap((list, index) =>
    lists.includes(list)
      ? []
      : [wrong(['shadowLists', index], `must be one of lists, ${lists.join(', ')}, got "${list}"`)],
  );
}

/** Without a subject there is no verdict, so the policy would decide every request. */
function withoutSubjects(name: string, { subjects, arguments: given }: Message, script: string | undefined): Finding[] {
  if (Object.keys(subjects).length > 0 || (script !== undefined && Object.keys(given).length > 0)) return [];
  const message =
    'must be a map of at least one kind: a message with arguments only is decided by a script, and `script` is not set';
  return [wrong(['messages', name, 'subjects'], message)];
}

/** A required kind that is not sent would refuse every request. */
function unknownRequiredKinds(name: string, { subjects, required }: Message): Finding[] {
  return required.flatMap((kind, index) => {
    if (Object.hasOwn(subjects, kind)) return [];
    const message = `must be one of the subjects of this message, ${Object.keys(subjects).join(', ')}, got "${kind}"`;
    return [wrong(['messages', name, 'required', index], message)];
  });
}

/** On the wire a subject is an argument with the name of its kind. */
function argumentsNamedAsSubjects(name: string, { subjects, arguments: given }: Message): Finding[] {
  return Object.keys(given)
    .filter((argument) => Object.hasOwn(subjects, argument))
    .map((argument) => ({
      path: ['messages', name, 'arguments', argument],
      part: 'key',
      message: `must have another name: ${argument} is a subject of this message, and the script receives it anyway`,
    }));
}

/** One message per scope and one per group, so that no decision is mistaken for another. */
function sharedVariables(messages: readonly (readonly [string, Message])[]): Finding[] {
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

/** Under `closed` a request that was not checked must not pass, and only a condition says which requests are checked. */
function unconditionalClosedGroups(messages: readonly (readonly [string, Message])[], global: Policy): Finding[] {
  return messages.flatMap(([name, message]) => {
    const { group, condition, paths, hosts, frontends, shadow, policy = global } = message;
    // one in mode tcp is sent once what it reads has arrived
    const isConditional = (condition ?? paths ?? hosts ?? frontends) !== undefined || isForConnection(message);
    return group === undefined || isConditional || shadow || policy.default === 'open'
      ? []
      : [
          wrong(
            ['messages', name, 'condition'],
            'must be set for a group under policy closed, or paths or hosts: they select the requests that are checked, and all others pass',
          ),
        ];
  });
}

function isForConnection({ subjects, arguments: given, group, condition }: Message): boolean {
  const expressions = (map: Readonly<Record<string, string>>) =>
    Object.values(map).map((expression) => ({ expression }));
  return isConnectionGroup({ group, condition, subjects: expressions(subjects), arguments: expressions(given) });
}

/** A condition decides whether a request is checked, so no spelling may bypass it. */
function rawConditions(name: string, message: Message): Finding[] {
  const { event, condition } = message;
  const inTcp = eventFacts(event)?.mode === 'tcp' || isForConnection(message);
  const raw = rawFetchIn(fetchesOf(condition ?? ''), inTcp);
  if (raw === undefined) return [];
  const instead = 'use paths: [/admin/*] or hosts: [admin.example] in this message, which match every spelling';
  return [
    wrong(
      ['messages', name, 'condition'],
      `must not read path, URL or Host as the client spells them, got ${raw}: ${instead}`,
    ),
  ];
}

/**
 * The condition stands in one line of the SPOE file or of haproxy.cfg. HAProxy has no parentheses: each of its alternatives is
 * repeated for each alternative of `paths` and `hosts`, which have several where odd requests may pass.
 */
function longConditions(name: string, message: Message, global: Policy): Finding[] {
  const { condition, paths, hosts, frontends = [], oddPaths, policy = global, shadow } = message;
  if (condition === undefined) return [];
  const alternatives = condition.trim().split(/\s+(?:or|\|\|)\s+/);
  const mayPass = shadow || policy.bad_subject === 'open';
  const times =
    (paths !== undefined && (mayPass || oddPaths === 'pass') ? 2 : 1) * (hosts !== undefined && mayPass ? 3 : 1);
  const ofFrontends = frontends.length > 0 ? frontends.length + 5 : 0;
  const more = [paths, hosts].filter((patterns) => patterns !== undefined).length + 1 + ofFrontends;
  const words = alternatives.reduce((sum, alternative) => sum + alternative.split(/\s+/).length + more, 0) * times;
  if (words <= MAX_CONDITION_WORDS) return [];
  return [
    wrong(
      ['messages', name, 'condition'],
      `must be shorter: with paths and hosts it takes ${words} words of a line, the limit is ${MAX_CONDITION_WORDS}`,
    ),
  ];
}

/** HAProxy knows path and Host only while it handles the request. */
function withoutRequest(name: string, message: Message): Finding[] {
  const { event, paths, hosts } = message;
  const where = isForConnection(message) ? 'in a group for mode tcp' : event && !isHttpRequest(event) && `at ${event}`;
  if (!where || (paths ?? hosts) === undefined) return [];
  const key = paths === undefined ? 'hosts' : 'paths';
  return [
    wrong(
      ['messages', name, key],
      `must be omitted ${where}, where HAProxy has no ${key}; use ${key} with ${MESSAGE_EVENTS.filter(isHttpRequest).join(', ')} or a group`,
    ),
  ];
}

/** In addition to the last value of a cookie, the wiring sends the whole header as an argument. */
function cookieArgumentConflicts(name: string, { subjects, arguments: given }: Message): Finding[] {
  const expression = Object.hasOwn(given, COOKIE_ARGUMENT) ? given[COOKIE_ARGUMENT] : undefined;
  const sends = Object.entries(subjects).some(([kind, of]) => readsCookie(kind, of));
  if (!sends || expression === undefined || expression === COOKIE_EXPRESSION) return [];
  return [
    wrong(
      ['messages', name, 'arguments', COOKIE_ARGUMENT],
      `must be ${COOKIE_EXPRESSION} or have another name: the wiring uses ${COOKIE_ARGUMENT} for that if a cookie is a subject`,
    ),
  ];
}

function takenBy(owner: string, place: string, { group }: Message): string {
  if (group !== undefined) return `must have a group of its own: message ${owner} uses ${group} already`;
  const free = MESSAGE_EVENTS.filter((event) => scopeOf(event) !== place);
  return `must be sent at another event than message ${owner}, since both would set the variables of ${place}: use ${free.join(', ')} or a group`;
}

/**
 * The variables of a connection outlive the request, so each answer about it unsets those that it does not set. Both have to
 * fit into an answer.
 */
function unsetBytes(messages: readonly (readonly [string, Message])[], haproxy: ConfigFile['haproxy']): Finding[] {
  const name = messages.find(([, message]) => scopeOf(message.event) === 'sess')?.[0];
  const names = [...new Set([...Object.values(VARIABLES), ...varsOf(haproxy).values()])];
  const bytes = names.reduce((sum, each) => sum + UNSET_BYTES + each.length, 0);
  if (name === undefined || bytes <= MAX_UNSET_BYTES) return [];
  const key = haproxy.requestHeaders.length > 0 ? 'requestHeaders' : 'responseHeaders';
  const limit = `must have fewer or shorter names if a message (${name}) is about a connection`;
  return [
    wrong(['haproxy', key], `${limit}: unsetting them all takes ${bytes} bytes, the limit is ${MAX_UNSET_BYTES}`),
  ];
}

/** `recentSeconds` would have no effect. */
function uselessRecentSeconds(
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

/** HAProxy silently never sets a variable with a longer name (flt_spoe.c). */
function longNames(messages: readonly (readonly [string, Message])[], haproxy: ConfigFile['haproxy']): Finding[] {
  const longest = [...Object.values(VARIABLES), ...varsOf(haproxy).values()].reduce(longer);
  return messages
    .flatMap(([name, message]) => {
      const own = message.group === undefined ? longest : `${message.group}.${longest}`;
      if (own.length > MAX_NAME)
        return [
          wrong(
            ['messages', name, 'group'],
            `must be shorter, or the header name: ${own} has ${own.length} characters, the limit is ${MAX_NAME}`,
          ),
        ];
      const scope = scopeOf(message.event);
      const most = MAX_VARIABLE - `${scope}..${own}`.length;
      if (haproxy.prefix.length <= most) return [];
      const limit = `must have at most ${most} characters, so that ${scope}.PREFIX.${own} has at most ${MAX_VARIABLE}`;
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
