import { z } from 'zod';
import { DENY_STATUSES, OPT_IN } from '../contract/actions.ts';
import { BACKEND_NAME, headerOf, varProblem } from '../contract/vars.ts';
import { REQUEST_SCOPE } from '../haproxy/events.ts';
import { HAPROXY_VERSIONS } from '../haproxy/versions.ts';
import { DEFAULT_PREFIX, MAX_HEADER_NAME, MAX_VARIABLE, PROCESS_TIME_VARIABLE } from '../haproxy/vocabulary.ts';
import { listOf, map, mapOf, oneOf, text, uniqueListOf } from './fields.ts';

/** The longest there can be; headers, groups and other scopes leave less (`conflicts.ts`). */
const MAX_PREFIX = MAX_VARIABLE - `${REQUEST_SCOPE}..${PROCESS_TIME_VARIABLE}`.length;

const backendName = text('the name of a HAProxy backend', (name) => BACKEND_NAME.test(name));
const headers = uniqueListOf(
  text(
    `the name of a header that HAProxy leaves to others, of at most ${MAX_HEADER_NAME} letters, digits and dashes`,
    isHeaderName,
  ),
  16,
  'names of headers',
  0,
  (name) => name.toLowerCase(),
).prefault([]);
const contentType = text('a content type like text/html; charset=utf-8', (type) =>
  /^[\w.+-]+\/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*$/.test(type),
);
const denyStatus = text(`one of ${DENY_STATUSES.join(', ')}`, (status) => DENY_STATUSES.map(String).includes(status));
const denyPage = map({
  file: text('an absolute path in ASCII without blanks, quotes, \\ and #', (path) =>
    /^\/[^\s"'\\#\p{Cc}\P{ASCII}]+$/u.test(path),
  ).describe('The page; HAProxy reads it when it starts, so it has to be on its host only.'),
  contentType: contentType.prefault('text/html; charset=utf-8').describe('What the page is.'),
});

export const haproxy = map({
  prefix: text(`1 to ${MAX_PREFIX} of A-Z a-z 0-9 _ .`, isPrefix)
    .prefault(DEFAULT_PREFIX)
    .describe('The variables are txn.PREFIX.action and so on; a name as a whole has at most 63 characters.'),
  version: oneOf(HAPROXY_VERSIONS).prefault('2.6').describe('The HAProxy version the wiring is written for.'),
  chroot: text('an absolute path without / at its end', (path) => /^(\/[A-Za-z0-9_.@:+-]+)+$/.test(path))
    .optional()
    .describe('What HAProxy has as its chroot: it is told the paths of sockets inside as it sees them.'),
  actions: uniqueListOf(oneOf(OPT_IN), OPT_IN.length, 'actions and variables', 0)
    .prefault([])
    .describe(
      'What entries may do that takes rules of its own. An action that is not named becomes a deny with 403, a variable is left out.',
    ),
  backends: uniqueListOf(backendName, 64, 'names of HAProxy backends', 0)
    .prefault([])
    .describe('The backends that entries may route to; what names another goes where it went without haverdict.'),
  requestHeaders: headers.describe('The headers of requests that entries may set, add and remove.'),
  responseHeaders: headers.describe('The headers of responses that entries may set, add and remove.'),
  bodyContentType: contentType
    .prefault('text/plain; charset=utf-8')
    .describe('What the bodies are that entries bring along.'),
  denyStatuses: listOf(
    z.literal(DENY_STATUSES, `one of ${DENY_STATUSES.join(', ')}`),
    DENY_STATUSES.length,
    'statuses',
    0,
  )
    .refine((statuses) => new Set(statuses).size === statuses.length, 'without a status that is there twice')
    .prefault([])
    .describe(
      'What entries may be denied with beside 403; any other becomes 403. 400 and 503 are there where subjects or policy need them. Each takes a rule of HAProxy, and one more for each of `body` and `tarpit`.',
    ),
  denyPages: mapOf(denyStatus, denyPage, DENY_STATUSES.length, 'status: file and contentType')
    .prefault({})
    .describe('What is sent with a deny of this status in place of what HAProxy has for it.'),
});

function isHeaderName(name: string): boolean {
  const change = `req.set.${name.toLowerCase()}`;
  return headerOf(change) !== undefined && varProblem(change, '') === undefined;
}

function isPrefix(text: string): boolean {
  return /^[A-Za-z0-9_.]+$/.test(text) && text.length <= MAX_PREFIX;
}
