import { z } from 'zod';
import { IPV6_PREFIXES } from '../../contract/address.ts';
import { LIST_NAME, MAX_LISTS, MAX_SUBJECTS } from '../../contract/check.ts';
import { isKind, KINDS } from '../../contract/subject.ts';
import { REASONS } from '../decision/decision.ts';
import { POLICIES, type Policy } from '../decision/policy.ts';
import {
  DEFAULT_PREFIX,
  ERROR_VARIABLE,
  PROCESS_TIME_VARIABLE,
  REQUEST_SCOPE,
  TOTAL_TIME_VARIABLE,
  VARIABLES,
} from '../vocabulary.ts';
import { isUnixPath, MAX_UNIX_PATH_BYTES, parseListenAddress, type UnixAddress } from './listen-address.ts';
import { isRegion } from './region.ts';
import { AUTHS, EVENTS, HAPROXY_VERSIONS, LOG_LEVELS } from './settings.ts';

// Every message in this file says what would be right and continues "must be …". It is also the type column of
// docs/reference/config.md (`mustBe`). The message of a map that met an unknown key is the list of the known ones.

/** HAProxy builds `<scope>.<prefix>.<name>` in 64 bytes, one of them NUL; longer names are never set (flt_spoe.c). */
const MAX_VARIABLE_BYTES = 63;
const LONGEST_NAME = Math.max(
  ...[...Object.values(VARIABLES), ERROR_VARIABLE, PROCESS_TIME_VARIABLE, TOTAL_TIME_VARIABLE].map(
    (name) => name.length,
  ),
);
const MAX_PREFIX_LENGTH = MAX_VARIABLE_BYTES - `${REQUEST_SCOPE}..`.length - LONGEST_NAME;

const DAY_SECONDS = 86_400;

/** What HAProxy would cut an unquoted argument at, or read as something else (configuration.txt 2.2). */
const EXPRESSION = /^[^\s"'\\#\p{Cc}\P{ASCII}]{1,1000}$/u;

const IPV6_PREFIX_FORM = '128 or a whole number from 16 to 64';

const policyName = oneOf(POLICIES);
const policy = z
  .union(
    [
      policyName.transform((name): Policy => ({ default: name })),
      map({
        default: policyName,
        ...Object.fromEntries(REASONS.map((reason) => [reason, policyName.optional()])),
      }).transform((byReason) => byReason as Policy), // the keys of the map are the reasons
    ],
    'open, closed, or a map of reasons with default',
  )
  .meta({ mustBe: 'open, closed, or a map of reasons with default' });

const unixPath = text(
  `an absolute path of at most ${MAX_UNIX_PATH_BYTES} bytes, of A-Z a-z 0-9 _ . / @ : + -`,
  isUnixPath,
);
const account = text('the name or number of an account', (name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(name));
const mode = text('three octal digits like 0660', (digits) => /^0?[0-7]{3}$/.test(digits));
const listenAddress = z.union(
  [
    text(
      `tcp://HOST:PORT, tcp://[IPV6]:PORT or unix:/PATH (at most ${MAX_UNIX_PATH_BYTES} bytes)`,
      (address) => parseListenAddress(address) !== undefined,
    ).transform((address) => parseListenAddress(address) ?? z.NEVER),
    map({ unix: unixPath, mode: mode.optional(), owner: account.optional(), group: account.optional() }).transform(
      ({ unix, mode, owner, group }): UnixAddress => ({
        type: 'unix',
        path: unix,
        ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
        ...(owner === undefined ? {} : { owner }),
        ...(group === undefined ? {} : { group }),
      }),
    ),
  ],
  `tcp://HOST:PORT, tcp://[IPV6]:PORT, unix:/PATH (at most ${MAX_UNIX_PATH_BYTES} bytes) or a map with unix`,
);

const kind = text(`a kind: ${KINDS.join(', ')}, header.NAME or cookie.NAME`, isKind);
const expression = text('one HAProxy sample expression in ASCII without blanks, quotes, \\ and #', (expression) =>
  EXPRESSION.test(expression),
);
const messageName = text('1 to 64 of A-Z a-z 0-9 _ . -', (name) => /^[A-Za-z0-9_.-]{1,64}$/.test(name));
const message = map({
  event: oneOf(EVENTS).prefault('on-frontend-http-request').describe('When HAProxy sends the message.'),
  subjects: z
    .record(kind, expression, 'a map of kind: expression')
    .refine(isSized(1, MAX_SUBJECTS), `1 to ${MAX_SUBJECTS} kinds with an expression each`)
    .meta({ mustBe: 'a map of kind: expression' })
    .describe('What is looked up, and the HAProxy sample expression that gives it. An earlier kind wins over a later.'),
  policy: policy.optional().describe('The policy of this message, instead of the global one.'),
});

const URL_FORM = 'an http or https URL without user, query and fragment';
const backendUrl = text(URL_FORM, isBackendUrl).transform((url) => url.replace(/\/+$/, ''));
const backend = map({
  url: backendUrl.optional().describe('The function that looks subjects up.'),
  urls: listOf(backendUrl, 8, 'such URLs')
    .refine((urls) => new Set(urls).size === urls.length, 'without a URL that is there twice')
    .optional()
    .describe('Instead of `backend.url`, several such functions: the first that answers is asked.'),
  auth: oneOf(AUTHS).prefault('none').describe('iam signs the calls with the AWS credentials of this host.'),
  region: text('a region like eu-central-1', isRegion)
    .optional()
    .describe('What calls are signed for where the URL does not say it; AWS_REGION if this is not set either.'),
  timeoutMs: wholeNumber(1, 60_000).prefault(2000).describe('How long one call to the function may take.'),
  maxConcurrent: wholeNumber(1, 1000).prefault(32).describe('How many calls to the function may run at a time.'),
  maxCallsPerSecond: wholeNumber(1, 100_000)
    .prefault(500)
    .describe('How many calls to the function may be made a second, whatever comes in: the ceiling of the bill.'),
  batch: map({
    windowMs: wholeNumber(0, 100).prefault(1).describe('How long a lookup waits for others to share its call.'),
    maxSubjects: wholeNumber(1, MAX_SUBJECTS).prefault(100).describe('How many lookups share a call at most.'),
  }).prefault({}),
})
  .refine(hasUrl, { path: ['url'], error: URL_FORM, when: ({ value }) => isObject(value) })
  .refine(hasOneOfBoth, {
    path: ['urls'],
    error: 'left out where backend.url is set',
    when: ({ value }) => isObject(value),
  });

/** The configuration file. */
export const ConfigFile = map({
  listen: listOf(listenAddress, 16, 'addresses to listen on')
    .prefault(['tcp://127.0.0.1:9000'])
    .describe('Where HAProxy connects to. A socket takes { unix: PATH, mode: "0660", owner: NAME, group: NAME }.'),
  backend: backend.prefault({}),
  deadlineMs: wholeNumber(1, 10_000)
    .prefault(40)
    .describe("Every message is answered by then, by policy if need be. HAProxy's own time limit is 20 ms later."),
  policy: policy
    .prefault('open')
    .describe('What is decided when it cannot be known: open allows, closed denies with 503.'),
  lists: listOf(
    text(`a list name (${LIST_NAME.source})`, (name) => LIST_NAME.test(name)),
    MAX_LISTS,
    'list names',
  )
    .refine((names) => new Set(names).size === names.length, 'without a name that is there twice')
    .prefault(['manual'])
    .describe('The lists that count, in the order of precedence.'),
  ipv6Prefix: z
    .int(IPV6_PREFIX_FORM)
    .refine((prefix) => IPV6_PREFIXES.includes(prefix), IPV6_PREFIX_FORM)
    .meta({ mustBe: IPV6_PREFIX_FORM })
    .prefault(128)
    .describe(
      'IPv6 clients are looked up as the network of so many bits: a provider gives each customer a /64 or more, so 64 keeps one of them from being millions of subjects. Entries for longer prefixes match no more.',
    ),
  cache: map({
    maxEntries: wholeNumber(1, 10_000_000).prefault(1_000_000).describe('How many subjects are remembered.'),
    allowTtlSeconds: wholeNumber(0, DAY_SECONDS).prefault(60).describe('How long a subject stays allowed unasked.'),
    denyTtlSeconds: wholeNumber(0, DAY_SECONDS).prefault(300).describe('How long a subject stays denied unasked.'),
    policyTtlSeconds: wholeNumber(0, DAY_SECONDS)
      .prefault(1)
      .describe('How long the policy answers for a subject whose lookup failed.'),
  }).prefault({}),
  stale: map({
    ifErrorSeconds: wholeNumber(0, 7 * DAY_SECONDS)
      .prefault(600)
      .describe('How long past its lifetime a verdict still counts while the function cannot be asked.'),
    revalidateSeconds: wholeNumber(0, 3600)
      .prefault(5)
      .describe('How long before its end a verdict that is used is asked anew, in the background.'),
  }).prefault({}),
  messages: z
    .record(messageName, message, 'a map of messages')
    .refine(isSized(1, 1), 'one message, as only one can be sent at on-frontend-http-request')
    .meta({ mustBe: 'a map with one message' })
    .prefault({ 'check-request': { subjects: { ip: 'src' } } })
    .describe('What HAProxy asks, by the name of the SPOE message.'),
  workers: wholeNumber(1, 64)
    .prefault(1)
    .describe(
      'How many processes share the connections. One serves two to six HAProxy threads; each has its own cache.',
    ),
  haproxy: map({
    prefix: text(`1 to ${MAX_PREFIX_LENGTH} of A-Z a-z 0-9 _ .`, isPrefix)
      .prefault(DEFAULT_PREFIX)
      .describe('The variables are txn.PREFIX.action and so on.'),
    version: oneOf(HAPROXY_VERSIONS).prefault('2.6').describe('The HAProxy version the wiring is written for.'),
  }).prefault({}),
  log: map({
    level: oneOf(LOG_LEVELS).prefault('info').describe('What is logged: this and everything more severe.'),
  }).prefault({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;

function wholeNumber(from: number, to: number) {
  const mustBe = `a whole number from ${from} to ${to}`;
  return z.int(mustBe).min(from, mustBe).max(to, mustBe).meta({ mustBe });
}

function text(mustBe: string, isRight: (text: string) => boolean) {
  return z.string(mustBe).refine(isRight, mustBe).meta({ mustBe });
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  const mustBe = `${values.slice(0, -1).join(', ')}${values.length > 1 ? ' or ' : ''}${values.at(-1)}`;
  return z.enum(values, mustBe).meta({ mustBe });
}

function listOf<T extends z.ZodType>(item: T, max: number, what: string) {
  const mustBe = `a list of 1 to ${max} ${what}`;
  return z.array(item, mustBe).min(1, mustBe).max(max, mustBe).meta({ mustBe });
}

function map<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'a map'),
  });
}

function isSized(from: number, to: number): (map: object) => boolean {
  return (map) => Object.keys(map).length >= from && Object.keys(map).length <= to;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function hasUrl({ url, urls }: { readonly url?: unknown; readonly urls?: unknown }): boolean {
  return url !== undefined || urls !== undefined;
}

function hasOneOfBoth({ url, urls }: { readonly url?: unknown; readonly urls?: unknown }): boolean {
  return url === undefined || urls === undefined;
}

function isBackendUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

function isPrefix(text: string): boolean {
  return /^[A-Za-z0-9_.]+$/.test(text) && text.length <= MAX_PREFIX_LENGTH;
}
