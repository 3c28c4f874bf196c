import { z } from 'zod';
import { DENY_STATUSES } from '../contract/actions.ts';
import { BACKEND_NAME, headerOf, varProblem } from '../contract/vars.ts';
import { REQUEST_SCOPE } from '../haproxy/events.ts';
import { HAPROXY_VERSIONS } from '../haproxy/versions.ts';
import { DEFAULT_PREFIX, MAX_HEADER_NAME, MAX_VARIABLE, PROCESS_TIME_VARIABLE } from '../haproxy/vocabulary.ts';
import { listOf, map, mapOf, oneOf, text, uniqueListOf, wholeNumber } from './fields.ts';

/** The longest there can be; headers, groups and other scopes leave less (`conflicts.ts`). */
const MAX_PREFIX = MAX_VARIABLE - `${REQUEST_SCOPE}..${PROCESS_TIME_VARIABLE}`.length;

/** As long as the agent keeps an allow by default: what is longer belongs there. */
const MAX_RECENT_SECONDS = 60;

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
    .prefault([401, 404, 410, 429, 451])
    .describe(
      'What entries may be denied with beside 400, 403 and 503; any other becomes 403. Each takes three rules of HAProxy.',
    ),
  recentSeconds: wholeNumber(0, MAX_RECENT_SECONDS)
    .prefault(0)
    .describe(
      'For how long HAProxy itself lets a visitor pass again who passed a message about an address alone; 0: every request is asked about. A new deny takes so much longer to bite.',
    ),
  recentVisitors: wholeNumber(100, 10_000_000)
    .prefault(100_000)
    .describe('How many of these visitors HAProxy remembers at most, in about 200 bytes each; others are asked about.'),
  recentStickCounter: wholeNumber(0, 11)
    .prefault(2)
    .describe(
      'The stick counter (sc) with which the wiring writes that down: one that no track-sc rule of yours uses.',
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
