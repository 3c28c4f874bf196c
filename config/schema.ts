import { z } from 'zod';
import { ACTIONS } from '../contract/actions.ts';
import { IPV6_PREFIXES } from '../contract/address.ts';
import { LIST_NAME, MAX_LISTS } from '../contract/check.ts';
import { address } from './address-field.ts';
import { backend } from './backend-schema.ts';
import { blocklist } from './blocklist-schema.ts';
import { listOf, map, oneOf, text, uniqueListOf, wholeNumber } from './fields.ts';
import { haproxy } from './haproxy-schema.ts';
import { listName } from './list-settings.ts';
import { isUnixPath, MAX_UNIX_PATH_BYTES, type UnixAddress } from './listen-address.ts';
import { messages, policy } from './message-schema.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

const UPDATES_MODES = ['off', 'invalidate', 'mirror'] as const;

const DAY_SECONDS = 86_400;

const IPV6_PREFIX_FORM = '128 or a whole number from 16 to 64';

const validListName = text(`a list name (${LIST_NAME.source})`, (name) => LIST_NAME.test(name));

const LIST_FORM = `a list name (${LIST_NAME.source}) or a map with name and actions`;
const askedList = z
  .union(
    [
      validListName,
      map({
        name: validListName.describe('A list whose entries are restricted to some actions.'),
        actions: uniqueListOf(oneOf(ACTIONS), ACTIONS.length, 'actions').describe(
          'The actions that its entries may have; an entry with another action is ignored.',
        ),
      }),
    ],
    LIST_FORM,
  )
  .meta({ mustBe: LIST_FORM });

const absolutePath = text('an absolute path', (path) => /^\/[^\0]{1,4000}$/.test(path));
const unixPath = text(
  `an absolute path of at most ${MAX_UNIX_PATH_BYTES} bytes, of A-Z a-z 0-9 _ . / @ : + -`,
  isUnixPath,
);
const account = text('a name or a numeric ID', (name) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(name));
/** Connecting to a socket needs write permission; execute bits have no meaning there. */
const mode = text('three octal digits, each 0, 2, 4 or 6, like 0660', (digits) => /^0?[0246]{3}$/.test(digits));
const LISTEN_FORM = `tcp://HOST:PORT, tcp://[IPV6]:PORT, unix:/PATH (at most ${MAX_UNIX_PATH_BYTES} bytes) or a map with unix`;
const listenAddress = z
  .union(
    [
      address,
      map({
        unix: unixPath.describe('The path of a socket, in an existing folder that HAProxy can access.'),
        mode: mode
          .optional()
          .describe('The permissions of the socket. Without this setting, 0660: its owner and its group may connect.'),
        owner: account.optional().describe('The owner of the socket; only root may set another user.'),
        group: account.optional().describe('The group of the socket; the agent must be a member of it or run as root.'),
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
    .describe('Where HAProxy connects to. A socket can be { unix: PATH, mode: "0660", owner: NAME, group: NAME }.'),
  backend: backend.prefault({}),
  deadlineMs: wholeNumber(1, 10_000)
    .prefault(40)
    .describe(
      "Every message is answered within this time, by the policy if necessary. HAProxy's own timeout is 20 ms longer.",
    ),
  policy: policy
    .prefault('open')
    .describe('What is decided without a verdict: `open` allows, `closed` denies with 503.'),
  lists: uniqueListOf(askedList, MAX_LISTS, 'lists', 1, listName)
    .prefault(['manual'])
    .describe(
      'The names of the lists that apply, in order of precedence; { name: NAME, actions: [deny] } restricts a list to actions.',
    ),
  shadowLists: uniqueListOf(validListName, MAX_LISTS, 'list names', 0)
    .prefault([])
    .describe(
      'Those of the lists that are in shadow mode: their entries are reported to HAProxy and logged, but not enforced.',
    ),
  ipv6Prefix: z
    .int(IPV6_PREFIX_FORM)
    .refine((prefix) => IPV6_PREFIXES.includes(prefix), IPV6_PREFIX_FORM)
    .meta({ mustBe: IPV6_PREFIX_FORM })
    .prefault(128)
    .describe(
      'IPv6 clients are looked up as networks of this prefix length. Providers give each customer a /64 or more, so 64 keeps one customer from becoming millions of subjects. Entries for longer prefixes and single addresses then no longer match: `block` refuses them and `lint` reports them.',
    ),
  cache: map({
    maxEntries: wholeNumber(1, 10_000_000).prefault(1_000_000).describe('The maximum number of cached subjects.'),
    allowTtlSeconds: wholeNumber(0, DAY_SECONDS)
      .prefault(60)
      .describe('How long the verdict "not listed" or "allow" is cached.'),
    denyTtlSeconds: wholeNumber(0, DAY_SECONDS).prefault(300).describe('How long any other verdict is cached.'),
    policyTtlSeconds: wholeNumber(0, DAY_SECONDS)
      .prefault(1)
      .describe('How long the policy decides about a subject whose lookup failed.'),
    file: absolutePath
      .optional()
      .describe('The file that keeps the cache across restarts, in a folder that the agent can write to.'),
    fileMaxAgeSeconds: wholeNumber(1, 7 * DAY_SECONDS)
      .prefault(3600)
      .describe('A cache file older than this is not read.'),
  }).prefault({}),
  stale: map({
    ifErrorSeconds: wholeNumber(0, 7 * DAY_SECONDS)
      .prefault(600)
      .describe('How long an expired verdict may still be used while the function cannot be reached.'),
    revalidateSeconds: wholeNumber(0, 3600)
      .prefault(5)
      .describe('How long before its expiry a verdict in use is refreshed, in the background.'),
  }).prefault({}),
  updates: map({
    mode: oneOf(UPDATES_MODES)
      .prefault('off')
      .describe(
        'What the agent does with the log of changes of its backend: `off` leaves it; `invalidate` ends the cached verdicts that a change covers, so that it bites within about a second; `mirror` keeps all entries of the lists in memory, and asks the function only while they are not up to date.',
      ),
    pollMs: wholeNumber(200, 15_000)
      .prefault(1000)
      .describe('How often the agent asks for changes; the backend may ask it to wait for longer, up to 15 seconds.'),
    maxEntries: wholeNumber(1, 10_000_000)
      .prefault(2_000_000)
      .describe('The maximum number of entries in the mirror. With more the agent works as with `mode: invalidate`.'),
    file: absolutePath
      .optional()
      .describe('The file that keeps the mirror across restarts, in a folder that the agent can write to.'),
    ifErrorSeconds: wholeNumber(0, 7 * DAY_SECONDS)
      .prefault(DAY_SECONDS)
      .describe(
        'How long an entry of a mirror that is not up to date may still be used while the function cannot be reached; that there is none, only for `stale.ifErrorSeconds`.',
      ),
  }).prefault({}),
  messages,
  script: text('the path of a module, like ./script.mjs', (path) => /\.m?[jt]s$/.test(path))
    .optional()
    .describe(
      'Your script, a module of functions that decide messages; a relative path starts at the folder of this file.',
    ),
  workers: wholeNumber(1, 64)
    .prefault(1)
    .describe(
      'The number of processes that share the connections. One serves two to six HAProxy threads; each has its own cache.',
    ),
  memory: map({
    heapMegabytes: wholeNumber(64, 16_384)
      .prefault(128)
      .describe(
        'The maximum JavaScript heap of a process, in addition to its cache. A process that needs more exits and is restarted.',
      ),
  }).prefault({}),
  haproxy: haproxy.prefault({}),
  blocklist: blocklist.prefault({}),
  admin: map({
    listen: listenAddress
      .optional()
      .describe('The HTTP address of the status page, metrics and health checks, like tcp://127.0.0.1:9101.'),
    hosts: uniqueListOf(
      text('a host without a port, like haproxy-1.example or [2001:db8::1]', (host) =>
        /^([A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])$/.test(host),
      ),
      32,
      'hosts without ports',
    )
      .optional()
      .describe(
        'The hosts that requests to `listen` may name, in addition to localhost and the address that the request came to. Others are answered 421.',
      ),
    socket: unixPath
      .optional()
      .describe(
        'The admin socket, through which `haverdict top`, `flush` and others reach the agent. Its user, its group and root may connect.',
      ),
  }).prefault({}),
  log: map({
    level: oneOf(LOG_LEVELS).prefault('info').describe('The lowest level that is logged.'),
  }).prefault({}),
});
export type ConfigFile = z.output<typeof ConfigFile>;
