import { z } from 'zod';
import { DENY_STATUSES, OPT_IN } from '../contract/actions.ts';
import { BACKEND_NAME, headerOf, varProblem } from '../contract/entry-vars.ts';
import { REQUEST_SCOPE } from '../haproxy/events.ts';
import { DEFAULT_PREFIX, MAX_HEADER_NAME, MAX_VARIABLE, PROCESS_TIME_VARIABLE } from '../haproxy/variables.ts';
import { HAPROXY_VERSIONS } from '../haproxy/versions.ts';
import { address } from './address-field.ts';
import { map, mapOf, oneOf, text, uniqueListOf, wholeNumber } from './fields.ts';
import { formatListenAddress } from './listen-address.ts';

/** The longest possible; headers, groups and other scopes leave less (`cross-checks.ts`). */
const MAX_PREFIX = MAX_VARIABLE - `${REQUEST_SCOPE}..${PROCESS_TIME_VARIABLE}`.length;

/** The default of `cache.allowTtlSeconds`: for longer times set that. */
const MAX_RECENT_SECONDS = 60;

const MAX_AGENTS = 16;
const backendName = text('a HAProxy backend name', (name) => BACKEND_NAME.test(name));
const headers = uniqueListOf(
  text(
    `a header name of at most ${MAX_HEADER_NAME} letters, digits and dashes that HAProxy does not manage itself`,
    isHeaderName,
  ),
  16,
  'header names',
  0,
  (name) => name.toLowerCase(),
).prefault([]);
const contentType = text('a content type like text/html; charset=utf-8', (type) =>
  /^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*$/.test(type),
);
const denyStatus = text(`one of ${DENY_STATUSES.join(', ')}`, (status) => DENY_STATUSES.map(String).includes(status));
const denyPage = map({
  file: text('an absolute ASCII path without spaces, quotes, \\ or #', (path) =>
    /^\/[^\s"'\\#\p{Cc}\P{ASCII}]+$/u.test(path),
  ).describe('The page. HAProxy reads it at startup, so only its host needs it.'),
  contentType: contentType.prefault('text/html; charset=utf-8').describe('The content type of the page.'),
});

export const haproxy = map({
  prefix: text(`1 to ${MAX_PREFIX} characters of A-Z a-z 0-9 _ .`, isPrefix)
    .prefault(DEFAULT_PREFIX)
    .describe('The variables are named txn.PREFIX.action and so on; a whole name has at most 63 characters.'),
  version: oneOf(HAPROXY_VERSIONS).prefault('2.6').describe('The HAProxy version that the wiring is generated for.'),
  chroot: text('an absolute path without a trailing slash', (path) => /^(\/[A-Za-z0-9_.@:+-]+)+$/.test(path))
    .optional()
    .describe('The chroot of HAProxy. Paths of sockets in it are generated relative to it.'),
  servers: uniqueListOf(address, MAX_AGENTS, 'addresses', 0, formatListenAddress)
    .prefault([])
    .describe(
      'Where HAProxy reaches the agents, this one among them, if not where this one listens: one server line each.',
    ),
  actions: uniqueListOf(oneOf(OPT_IN), OPT_IN.length, 'actions and variables', 0)
    .prefault([])
    .describe(
      'The actions and variables of entries that need HAProxy rules of their own. Without its rule an action becomes a deny with 403, and a variable is left out.',
    ),
  backends: uniqueListOf(backendName, 64, 'HAProxy backend names', 0)
    .prefault([])
    .describe(
      'The backends that entries may route to. Requests routed to any other go where they would go without haverdict.',
    ),
  requestHeaders: headers.describe('The headers of requests that entries may set, add and remove.'),
  responseHeaders: headers.describe('The headers of responses that entries may set, add and remove.'),
  bodyContentType: contentType
    .prefault('text/plain; charset=utf-8')
    .describe('The content type of the bodies of entries.'),
  denyStatuses: uniqueListOf(
    z.literal(DENY_STATUSES, `one of ${DENY_STATUSES.join(', ')}`),
    DENY_STATUSES.length,
    'statuses',
    0,
  )
    .prefault([])
    .describe(
      'The statuses that entries may deny with, in addition to 403. Any other becomes 403. 503 and 400 are included if the policy or the subjects need them. Each adds an HAProxy rule, and one more for each of `body` and `tarpit`.',
    ),
  recentSeconds: wholeNumber(0, MAX_RECENT_SECONDS)
    .prefault(0)
    .describe(
      'How long HAProxy allows an address again without asking, after a message about the address alone allowed it; 0: HAProxy asks about every request. A new deny takes effect that much later.',
    ),
  recentAddresses: wholeNumber(100, 10_000_000)
    .prefault(100_000)
    .describe(
      'The size of the stick table for `recentSeconds`, about 200 bytes per address. When it is full, HAProxy asks more often.',
    ),
  recentStickCounter: wholeNumber(0, 11)
    .prefault(2)
    .describe(
      'The stick counter (`track-sc`) that the rules for `recentSeconds` use; no rule of yours may use the same.',
    ),
  denyPages: mapOf(denyStatus, denyPage, DENY_STATUSES.length, 'status: file and contentType')
    .prefault({})
    .describe("The page that is sent with a deny of this status, instead of HAProxy's own."),
});

function isHeaderName(name: string): boolean {
  const change = `req.set.${name.toLowerCase()}`;
  return headerOf(change) !== undefined && varProblem(change, '') === undefined;
}

function isPrefix(text: string): boolean {
  return /^[A-Za-z0-9_.]+$/.test(text) && text.length <= MAX_PREFIX;
}
