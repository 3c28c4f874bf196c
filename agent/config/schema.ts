import { z } from 'zod';
import { IPV6_PREFIXES } from '../../contract/address.ts';
import { DENY_STATUSES, LIST_NAME, MAX_LISTS, MAX_SUBJECTS } from '../../contract/check.ts';
import { isKind, KINDS } from '../../contract/subject.ts';
import { BACKEND_NAME, headerOf, varProblem } from '../../contract/vars.ts';
import { REASONS } from '../decision/decision.ts';
import { POLICIES, type Policy } from '../decision/policy.ts';
import {
  DEFAULT_EVENT,
  DEFAULT_PREFIX,
  ERROR_VARIABLE,
  type Event,
  MAX_HEADER_NAME,
  PROCESS_TIME_VARIABLE,
  REQUEST_SCOPE,
  SCOPES,
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

const MAX_MESSAGES = 16;

const DAY_SECONDS = 86_400;

/** What HAProxy would cut an unquoted argument at, or read as something else (configuration.txt 2.2). */
const EXPRESSION = /^[^\s"'\\#\p{Cc}\P{ASCII}]{1,1000}$/u;

const IPV6_PREFIX_FORM = '128 or a whole number from 16 to 64';

const CONDITION = /^[^"'\\#\p{Cc}\P{ASCII}]{1,500}$/u;
const MAX_ARGUMENTS = 32;

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
const argumentName = text('1 to 64 of a-z A-Z 0-9 _ - .', (name) => /^[A-Za-z0-9_.-]{1,64}$/.test(name));
const message = map({
  event: oneOf(EVENTS)
    .optional()
    .describe('When HAProxy sends the message: on-frontend-http-request if no group does.'),
  group: text('1 to 12 of a-z 0-9 _', (name) => /^[a-z0-9_]{1,12}$/.test(name))
    .optional()
    .describe(
      'Instead of an event: `http-request send-spoe-group haverdict NAME` sends it, wherever you put that rule.',
    ),
  condition: text('one line of ASCII, as { path_beg /login }', (line) => CONDITION.test(line))
    .optional()
    .describe('The ACL condition, without if, under which the event sends the message.'),
  subjects: z
    .record(kind, expression, 'a map of kind: expression')
    .refine(isSized(0, MAX_SUBJECTS), `at most ${MAX_SUBJECTS} kinds with an expression each`)
    .meta({ mustBe: 'a map of kind: expression' })
    .prefault({})
    .describe('What is looked up, and the HAProxy sample expression that gives it. An earlier kind wins over a later.'),
  arguments: z
    .record(argumentName, expression, 'a map of name: expression')
    .refine(isSized(0, MAX_ARGUMENTS), `at most ${MAX_ARGUMENTS} names with an expression each`)
    .meta({ mustBe: 'a map of name: expression' })
    .prefault({})
    .describe('What your rules are told beside the subjects.'),
  policy: policy.optional().describe('The policy of this message, instead of the global one.'),
  shadow: truth().prefault(false).describe('On trial: what is decided is told and logged, and not enforced.'),
})
  .refine(hasSubjectOrArgument, {
    path: ['subjects'],
    error: 'a map of at least one kind, or beside arguments',
    when: ({ value }) => isObject(value),
  })
  .refine(hasOneTrigger, {
    path: ['group'],
    error: 'left out where event is set',
    when: ({ value }) => isObject(value),
  });

const listName = text(`a list name (${LIST_NAME.source})`, (name) => LIST_NAME.test(name));

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

const backendName = text('the name of a HAProxy backend', (name) => BACKEND_NAME.test(name));
const headers = listOf(
  text(`the name of a header, of at most ${MAX_HEADER_NAME} letters, digits and dashes`, isHeaderName),
  16,
  'names of headers',
  0,
).prefault([]);
const contentType = text('a content type like text/html; charset=utf-8', (type) =>
  /^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*$/.test(type),
);
const denyPage = map({
  file: text('an absolute path without blanks, quotes, \\ and #', (path) =>
    /^\/[^\s"'\\#\p{Cc}\P{ASCII}]+$/u.test(path),
  ),
  contentType: contentType.prefault('text/html; charset=utf-8'),
});

const denyStatus = text(`one of ${DENY_STATUSES.join(', ')}`, (status) => DENY_STATUSES.map(String).includes(status));

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
  lists: listOf(listName, MAX_LISTS, 'list names')
    .refine((names) => new Set(names).size === names.length, 'without a name that is there twice')
    .prefault(['manual'])
    .describe('The lists that count, in the order of precedence.'),
  shadowLists: listOf(listName, MAX_LISTS, 'list names', 0)
    .prefault([])
    .describe('Those of the lists that are on trial: what they have is told and logged, and not enforced.'),
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
    .refine(isSized(1, MAX_MESSAGES), `1 to ${MAX_MESSAGES} messages`)
    .refine(
      haveScopesOfTheirOwn,
      'of one message at most for the connection, the request, the backend, the response and each group',
    )
    .meta({ mustBe: 'a map of messages' })
    .prefault({ 'check-request': { subjects: { ip: 'src' } } })
    .describe('What HAProxy asks, by the name of the SPOE message.'),
  rules: text('the path of a module, as ./rules.mjs', (path) => /\.m?js$/.test(path))
    .optional()
    .describe('Your own rules, from this file’s folder on: see the guide.'),
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
    backends: listOf(backendName, 64, 'names of HAProxy backends', 0)
      .prefault([])
      .describe('The backends that entries may route to; what names another goes where it went without haverdict.'),
    requestHeaders: headers.describe('The headers of requests that entries may set, add and remove.'),
    responseHeaders: headers.describe('The headers of responses that entries may set, add and remove.'),
    bodyContentType: contentType
      .prefault('text/plain; charset=utf-8')
      .describe('What the bodies are that entries bring along.'),
    denyPages: z

      .record(denyStatus, denyPage, 'a map of status: file')
      .meta({ mustBe: 'a map of status: file' })
      .prefault({})
      .describe('The files that are sent with a deny, by status; HAProxy reads them when it starts.'),
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

function listOf<T extends z.ZodType>(item: T, max: number, what: string, min = 1) {
  const mustBe = min === 0 ? `a list of at most ${max} ${what}` : `a list of ${min} to ${max} ${what}`;
  return z.array(item, mustBe).min(min, mustBe).max(max, mustBe).meta({ mustBe });
}

function truth() {
  return z.boolean('true or false').meta({ mustBe: 'true or false' });
}

function map<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : 'a map'),
  });
}

function isSized(from: number, to: number): (map: object) => boolean {
  return (map) => Object.keys(map).length >= from && Object.keys(map).length <= to;
}

function hasSubjectOrArgument({
  subjects = {},
  arguments: given = {},
}: {
  readonly subjects?: object;
  readonly arguments?: object;
}): boolean {
  return Object.keys(subjects).length + Object.keys(given).length > 0;
}

function hasOneTrigger({ event, group }: { readonly event?: unknown; readonly group?: unknown }): boolean {
  return event === undefined || group === undefined;
}

/** One message a scope, so that no decision is mistaken for another. */
function haveScopesOfTheirOwn(
  messages: Readonly<Record<string, { readonly event?: Event | undefined; readonly group?: string | undefined }>>,
): boolean {
  const places = Object.values(messages).map(({ event, group }) => group ?? SCOPES[event ?? DEFAULT_EVENT]);
  return new Set(places).size === places.length;
}

function isHeaderName(name: string): boolean {
  return (
    headerOf(`req.set.${name.toLowerCase()}`) !== undefined &&
    varProblem(`req.set.${name.toLowerCase()}`, '') === undefined
  );
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
