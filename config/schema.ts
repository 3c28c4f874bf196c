import { z } from 'zod';
import { ACTIONS } from '../contract/actions.ts';
import { IPV6_PREFIXES } from '../contract/address.ts';
import { LIST_NAME, MAX_LISTS } from '../contract/check.ts';
import { backend } from './backend-schema.ts';
import { blocklist } from './blocklist-schema.ts';
import { listOf, map, oneOf, text, uniqueListOf, wholeNumber } from './fields.ts';
import { haproxy } from './haproxy-schema.ts';
import { isUnixPath, MAX_UNIX_PATH_BYTES, parseListenAddress, type UnixAddress } from './listen-address.ts';
import { listName } from './lists.ts';
import { messages, policy } from './message-schema.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

const DAY_SECONDS = 86_400;

const IPV6_PREFIX_FORM = '128 or a whole number from 16 to 64';

const validListName = text(`a list name (${LIST_NAME.source})`, (name) => LIST_NAME.test(name));

const LIST_FORM = `a list name (${LIST_NAME.source}) or a map with name and actions`;
const askedList = z
  .union(
    [
      validListName,
      map({
        name: validListName.describe('A list that is held to some actions; any other may do everything.'),
        actions: uniqueListOf(oneOf(ACTIONS), ACTIONS.length, 'actions').describe(
          'What its entries may do; one with another action counts as if it were not there.',
        ),
      }),
    ],
    LIST_FORM,
  )
  .meta({ mustBe: LIST_FORM });

const unixPath = text(
  `an absolute path of at most ${MAX_UNIX_PATH_BYTES} bytes, of A-Z a-z 0-9 _ . / @ : + -`,
  isUnixPath,
);
const account = text('the name or number of an account', (name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(name));
/** Whoever connects to a socket needs the right to write to it; the bits for execution mean nothing there. */
const mode = text('three octal digits 0, 2, 4 or 6, like 0660', (digits) => /^0?[0246]{3}$/.test(digits));
const LISTEN_FORM = `tcp://HOST:PORT, tcp://[IPV6]:PORT, unix:/PATH (at most ${MAX_UNIX_PATH_BYTES} bytes) or a map with unix`;
const listenAddress = z
  .union(
    [
      text(
        `tcp://HOST:PORT, tcp://[IPV6]:PORT or unix:/PATH (at most ${MAX_UNIX_PATH_BYTES} bytes)`,
        (address) => parseListenAddress(address) !== undefined,
      ).transform((address) => parseListenAddress(address) ?? z.NEVER),
      map({
        unix: unixPath.describe('The path of a socket, in a folder that is there and that HAProxy reaches.'),
        mode: mode.optional().describe('Who may connect: 0660 if it is not set, so its owner and its group.'),
        owner: account.optional().describe('Whom the socket is given to; only root may give it to another user.'),
        group: account.optional().describe('The group it is given to; the agent must be in it, or run as root.'),
      }).transform(
        ({ unix, mode, owner, group }): UnixAddress => ({
          type: 'unix',
          path: unix,
          ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
          ...(owner === undefined ? {} : { owner }),
          ...(group === undefined ? {} : { group }),
        }),
      ),
    ],
    LISTEN_FORM,
  )
  .meta({ mustBe: LISTEN_FORM });

/** The configuration file. */
export const ConfigFile = map({
  listen: listOf(listenAddress, 16, 'addresses to listen on')
    .prefault([{ unix: '/run/haverdict/agent.sock', group: 'haproxy' }])
    .describe('Where HAProxy connects to. A socket takes { unix: PATH, mode: "0660", owner: NAME, group: NAME }.'),
  backend: backend.prefault({}),
  deadlineMs: wholeNumber(1, 10_000)
    .prefault(40)
    .describe("Every message is answered by then, by policy if need be. HAProxy's own time limit is 20 ms later."),
  policy: policy
    .prefault('open')
    .describe('What is decided when it cannot be known: open allows, closed denies with 503.'),
  lists: uniqueListOf(askedList, MAX_LISTS, 'lists', 1, listName)
    .prefault(['manual'])
    .describe(
      'The lists that count, in the order of precedence, by name; { name: NAME, actions: [deny] } holds one to actions.',
    ),
  shadowLists: uniqueListOf(validListName, MAX_LISTS, 'list names', 0)
    .prefault([])
    .describe('Those of the lists that are on trial: what they have is told and logged, and not enforced.'),
  ipv6Prefix: z
    .int(IPV6_PREFIX_FORM)
    .refine((prefix) => IPV6_PREFIXES.includes(prefix), IPV6_PREFIX_FORM)
    .meta({ mustBe: IPV6_PREFIX_FORM })
    .prefault(128)
    .describe(
      'IPv6 clients are looked up as the network of so many bits: a provider gives each customer a /64 or more, so 64 keeps one of them from being millions of subjects. Entries for longer prefixes, and for single addresses, match no more: `block` refuses and `lint` finds them.',
    ),
  cache: map({
    maxEntries: wholeNumber(1, 10_000_000).prefault(1_000_000).describe('How many subjects are remembered.'),
    allowTtlSeconds: wholeNumber(0, DAY_SECONDS).prefault(60).describe('How long a subject stays allowed unasked.'),
    denyTtlSeconds: wholeNumber(0, DAY_SECONDS).prefault(300).describe('How long a subject stays denied unasked.'),
    policyTtlSeconds: wholeNumber(0, DAY_SECONDS)
      .prefault(1)
      .describe('How long the policy answers for a subject whose lookup failed.'),
    file: text('an absolute path', (path) => /^\/[^\0]{1,4000}$/.test(path))
      .optional()
      .describe('Where the verdicts are kept over a restart; in a folder that the agent may write to.'),
    fileMaxAgeSeconds: wholeNumber(1, 7 * DAY_SECONDS)
      .prefault(3600)
      .describe('A file that is older than this is not read.'),
  }).prefault({}),
  stale: map({
    ifErrorSeconds: wholeNumber(0, 7 * DAY_SECONDS)
      .prefault(600)
      .describe('How long past its lifetime a verdict still counts while the function cannot be asked.'),
    revalidateSeconds: wholeNumber(0, 3600)
      .prefault(5)
      .describe('How long before its end a verdict that is used is asked anew, in the background.'),
  }).prefault({}),
  messages,
  script: text('the path of a module, as ./script.mjs', (path) => /\.m?[jt]s$/.test(path))
    .optional()
    .describe(
      'Your script, a module of functions that decide messages; a relative path starts at the folder of this file.',
    ),
  workers: wholeNumber(1, 64)
    .prefault(1)
    .describe(
      'How many processes share the connections. One serves two to six HAProxy threads; each has its own cache.',
    ),
  memory: map({
    heapMegabytes: wholeNumber(64, 16_384)
      .prefault(128)
      .describe(
        'How much JavaScript heap a process may have beside its cache. One that needs more ends and is started again.',
      ),
  }).prefault({}),
  haproxy: haproxy.prefault({}),
  blocklist: blocklist.prefault({}),
  admin: map({
    listen: listenAddress
      .optional()
      .describe('Where HTTP shows the status page, metrics and health, like tcp://127.0.0.1:9101.'),
    hosts: uniqueListOf(
      text('a host without its port, as haproxy-1.example or [2001:db8::1]', (host) =>
        /^([A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])$/.test(host),
      ),
      32,
      'hosts without ports',
    )
      .optional()
      .describe(
        'Under which names and addresses `listen` is asked, beside localhost and the address that a request came to; any other is answered 421.',
      ),
    socket: unixPath
      .optional()
      .describe(
        'Where `haverdict top`, `flush` and others reach the agent: a socket for its user, its group and root.',
      ),
  }).prefault({}),
  log: map({
    level: oneOf(LOG_LEVELS).prefault('info').describe('What is logged: this and everything more severe.'),
  }).prefault({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;
