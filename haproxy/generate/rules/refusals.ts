import type { MessageSettings, Settings } from '../../../config/settings.ts';
import { bothOf } from '../condition.ts';
import {
  addressHeadersOf,
  COOKIES_ARE_ODD,
  cookieIsOdd,
  cookiesOf,
  HAS_ONE_HOST,
  HAS_PATH,
  HOST_BEHIND_SCHEME,
  HOST_IN_PATH,
  headerIsRepeated,
  headerIsRespelled,
  headersOf,
  IS_HOST,
  LONG_PATHS,
  ODD_PATHS,
  readsHost,
  readsPath,
  refusesOdd,
  refusesOddPaths,
} from '../odd.ts';
import { refusalStop, tooLongStop } from './deny.ts';

/** What is refused, and why. */
interface Refusal {
  /** Each by itself. */
  readonly tests: readonly string[];
  readonly why: string;
  /** What stops it, where that is not `refusalStop`. */
  readonly stop?: typeof refusalStop;
}

/**
 * Requests that servers read in more ways than one, of all that these messages look at: whatever was asked about them,
 * a server could take them for something else. They stand above the rules that ask and obey.
 */
export function refusals(settings: Settings, messages: readonly MessageSettings[]): string[] {
  const rules = new Map<string, Set<string>>();
  // those without a condition first: they say all that the others say
  for (const message of [...messages].sort((one, other) => conditions(one) - conditions(other)))
    for (const { tests, why, stop = refusalStop } of refusalsOf(message)) {
      const of = rules.get(why) ?? new Set();
      rules.set(why, of);
      const start = stop(settings, RULESET);
      for (const test of tests)
        if (!of.has(`${start} if ${test}`)) of.add(`${start} if ${bothOf(message.condition, test)}`);
    }
  return [...rules].flatMap(([why, lines]) => [`# ${why}`, ...lines]);
}

function conditions({ condition }: MessageSettings): number {
  return condition === undefined ? 0 : 1;
}

/**
 * What is asked inside a tunnel is asked about by nobody; a WebSocket passes. From 3.0 HAProxy takes `Upgrade: h2c` off
 * itself, and not `Upgrade: websocket, h2c` (seen on 3.0 to 3.4).
 */
export function tunnelRules({ messages }: Settings): string[] {
  if (messages.every(({ shadow }) => shadow)) return [];
  return [
    '# no upgrade to HTTP/2 behind HAProxy: nothing would be asked about the requests inside',
    'http-request del-header upgrade if { req.fhdr(upgrade) -m sub -i h2c }',
  ];
}

const RULESET = 'http-request';

function refusalsOf(message: MessageSettings): Refusal[] {
  if (!refusesOdd(message)) return [];
  const headers = headersOf(message);
  const targets = [
    ...(readsHost(message) || readsPath(message) ? [HOST_BEHIND_SCHEME] : []),
    ...(readsHost(message) && (refusesOddPaths(message) || !readsPath(message)) ? [HOST_IN_PATH] : []),
  ];
  const cookies = cookiesOf(message);
  return [
    ...(readsHost(message)
      ? [{ tests: [`!{ ${HAS_ONE_HOST} }`, `!{ ${IS_HOST} }`], why: 'exactly one Host, and one that is a host' }]
      : []),
    ...(targets.length === 0 ? [] : [{ tests: targets, why: 'no other host in the request line' }]),
    ...(readsPath(message)
      ? [{ tests: [`{ ${LONG_PATHS} }`], why: 'no path longer than any that is looked up', stop: tooLongStop }]
      : []),
    ...(readsPath(message) && refusesOddPaths(message)
      ? [
          {
            tests: [`!{ ${HAS_PATH} }`, `{ ${ODD_PATHS} }`],
            why: 'no path that servers read differently (oddPaths: pass leaves this out)',
          },
        ]
      : []),
    ...headers.map((name) => ({
      tests: [headerIsRepeated(name), ...headerIsRespelled(name)],
      why: `${name} at most once, and under no other spelling`,
    })),
    ...addressHeadersOf(message).map((name) => ({
      tests: headerIsRespelled(name),
      why: `${name} under no other spelling`,
    })),
    ...(cookies.size === 0 ? [] : [{ tests: [COOKIES_ARE_ODD], why: 'one Cookie header' }]),
    ...[...cookies].map(([name, most]) => ({
      tests: [cookieIsOdd(name, most)],
      why: `cookies ${name}: at most ${most}`,
    })),
  ];
}
