import type { MessageSettings } from '../../../config/settings.ts';
import {
  addressHeadersOf,
  cookieIsRepeated,
  cookiesOf,
  HAS_ONE_HOST,
  HAS_PATH,
  HAS_SEVERAL_COOKIE_HEADERS,
  HOST_BEHIND_SCHEME,
  HOST_IN_PATH,
  headerHasLookalikes,
  headerIsRepeated,
  headersOf,
  IS_HOST,
  LONG_PATHS,
  ODD_PATHS,
  readsHost,
  readsPath,
  refusesAmbiguous,
  refusesOddPaths,
} from '../ambiguous-requests.ts';
import { inFrontends } from '../send-condition.ts';
import { bothConditions } from '../syntax.ts';
import { type DenySettings, refusalStop, tooLongStop } from './deny.ts';

/** Requests that are refused, and why. */
interface Refusal {
  /** A request is refused if one of them holds. */
  readonly tests: readonly string[];
  readonly why: string;
  /** The stop, if it is not `refusalStop`. */
  readonly stop?: typeof refusalStop;
}

/**
 * Refuses requests that servers read in more ways than one, in whatever these messages look at: the agent would decide
 * about one reading, and a server could act on another. These rules stand above those that ask and obey.
 */
export function refusals(haproxy: DenySettings, messages: readonly MessageSettings[]): string[] {
  const rules = new Map<string, Set<string>>();
  // messages without a condition first: their rules cover those of the others
  for (const message of [...messages].sort((one, other) => conditions(one) - conditions(other)))
    for (const { tests, why, stop = refusalStop } of refusalsOf(message)) {
      const of = rules.get(why) ?? new Set();
      rules.set(why, of);
      const start = stop(haproxy);
      for (const test of tests)
        if (!of.has(`${start} if ${test}`)) of.add(`${start} if ${bothConditions(refusedWhere(message), test)}`);
    }
  return [...rules].flatMap(([why, lines]) => [`# ${why}`, ...lines]);
}

function conditions(message: MessageSettings): number {
  return refusedWhere(message) === undefined ? 0 : 1;
}

/** For requests that a message is never sent for, nothing is refused on its account. */
function refusedWhere(message: MessageSettings): string | undefined {
  const { condition } = message;
  const where = inFrontends(message);
  return where === undefined || condition === undefined ? (where ?? condition) : bothConditions(where, condition);
}

/**
 * Requests inside a tunnel are never checked; a WebSocket passes. From 3.0 HAProxy removes `Upgrade: h2c` itself, but not
 * `Upgrade: websocket, h2c` (seen on 3.0 to 3.4).
 */
export function tunnelRules(messages: readonly MessageSettings[]): string[] {
  if (messages.every(({ shadow }) => shadow)) return [];
  return [
    '# no upgrade to HTTP/2 behind HAProxy: the requests inside would not be checked',
    'http-request del-header upgrade if { req.fhdr(upgrade) -m sub -i h2c }',
  ];
}

function refusalsOf(message: MessageSettings): Refusal[] {
  if (!refusesAmbiguous(message)) return [];
  const headers = headersOf(message);
  const targets = [
    ...(readsHost(message) || readsPath(message) ? [HOST_BEHIND_SCHEME] : []),
    ...(readsHost(message) && (refusesOddPaths(message) || !readsPath(message)) ? [HOST_IN_PATH] : []),
  ];
  const cookies = cookiesOf(message);
  return [
    ...(readsHost(message)
      ? [{ tests: [`!{ ${HAS_ONE_HOST} }`, `!{ ${IS_HOST} }`], why: 'exactly one Host header, with a valid host' }]
      : []),
    ...(targets.length === 0 ? [] : [{ tests: targets, why: 'no other host in the request line' }]),
    ...(readsPath(message)
      ? [{ tests: [`{ ${LONG_PATHS} }`], why: 'no path longer than can be looked up', stop: tooLongStop }]
      : []),
    ...(readsPath(message) && refusesOddPaths(message)
      ? [
          {
            tests: [`!{ ${HAS_PATH} }`, `{ ${ODD_PATHS} }`],
            why: 'no path that servers read differently (oddPaths: pass omits this)',
          },
        ]
      : []),
    ...headers.map((name) => ({
      tests: [headerIsRepeated(name), ...headerHasLookalikes(name)],
      why: `${name} at most once, and in no other spelling`,
    })),
    ...addressHeadersOf(message).map((name) => ({
      tests: headerHasLookalikes(name),
      why: `${name} in no other spelling`,
    })),
    ...(cookies.size === 0 ? [] : [{ tests: [HAS_SEVERAL_COOKIE_HEADERS], why: 'at most one Cookie header' }]),
    ...[...cookies].map(([name, most]) => ({
      tests: [cookieIsRepeated(name, most)],
      why: `cookie ${name} at most ${most === 1 ? 'once' : `${most} times`}`,
    })),
  ];
}
