import { z } from 'zod';
import { MAX_SUBJECTS } from '../contract/check.ts';
import { BACKEND_NAME } from '../contract/entry-vars.ts';
import { POLICIES, type Policy, REASONS } from '../contract/policy.ts';
import { isKind, KINDS, parseLookupSubject, SubjectError } from '../contract/subject.ts';
import { DEFAULT_EVENT, MESSAGE_EVENTS } from '../haproxy/events.ts';
import { boolean, isObject, listOf, map, mapOf, oneOf, text, uniqueListOf } from './fields.ts';

const MAX_MESSAGES = 16;
const MAX_ARGUMENTS = 32;
const MAX_PATTERNS = 32;
/** A line of HAProxy's configuration has at most 2048 bytes, and a byte of a path can take four. */
const MAX_PATTERN = 255;

const policyName = oneOf(POLICIES);
const POLICY_FORM = 'open, closed, or a map of reasons with a default';
export const policy = z
  .union(
    [
      policyName.transform((name): Policy => ({ default: name })),
      map({
        default: policyName,
        ...Object.fromEntries(REASONS.map((reason) => [reason, policyName.optional()])),
      })
        .meta({
          each: 'REASON',
          eachMeaning: 'The policy for this reason; `default` applies to all others.',
        })
        .transform((byReason) => byReason as Policy), // the keys of the map are the reasons
    ],
    POLICY_FORM,
  )
  .meta({ mustBe: POLICY_FORM });

/** Excludes what ends an unquoted argument in HAProxy or changes its meaning (configuration.txt 2.2). */
const EXPRESSION = /^[^\s"'\\#\p{Cc}\P{ASCII}]{1,1000}$/u;
/** The same with spaces, as a condition is at the end of a line. */
const CONDITION = /^(?!(if|unless)\s)(?=.*\S)[^"'\\#\p{Cc}\P{ASCII}]{1,500}$/u;

const kind = text(`a kind: ${KINDS.join(', ')}, header.NAME or cookie.NAME`, isKind);
const expression = text('one HAProxy sample expression in ASCII without spaces, quotes, \\ or #', (expression) =>
  EXPRESSION.test(expression),
);
const name = text('1 to 64 characters of A-Z a-z 0-9 _ . -', (name) => /^[A-Za-z0-9_.-]{1,64}$/.test(name));

/** Paths or hosts as entries name them, in canonical form. */
function patternsOf(kind: 'path' | 'host', mustBe: string) {
  const pattern = text(mustBe, (pattern) => pattern.length <= MAX_PATTERN && canonical(kind, pattern) !== undefined);
  return listOf(
    pattern.transform((pattern) => canonical(kind, pattern) ?? pattern),
    MAX_PATTERNS,
    `${kind}s`,
  );
}

/** Canonicalizes a pattern. Undefined if it is invalid, or a path that servers read differently, which the wiring refuses. */
function canonical(kind: 'path' | 'host', pattern: string): string | undefined {
  try {
    const { value } = parseLookupSubject(`${kind}:${pattern}`);
    return /%2F|%5C|%00|;|[^\x21-\x7e]/.test(value) ? undefined : value;
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}

const message = map({
  event: oneOf(MESSAGE_EVENTS)
    .optional()
    .describe(`When HAProxy sends the message. Without \`group\`, the default is ${DEFAULT_EVENT}.`),
  group: text('1 to 12 characters of a-z 0-9 _', (name) => /^[a-z0-9_]{1,12}$/.test(name))
    .optional()
    .describe(
      'Instead of an event: the rule `http-request send-spoe-group haverdict NAME` sends the message, or `tcp-request content …` if it reads what the client sends first, such as req.ssl_sni. The wiring has that rule in mode tcp and if there is a condition, paths or hosts; otherwise you write it.',
    ),
  condition: text('one line of ASCII without a leading if, quotes, \\ or #, like { method POST }', (line) =>
    CONDITION.test(line),
  )
    .optional()
    .describe(
      'The message is sent only if this ACL condition holds. It must not read path, URL or Host: use paths and hosts for that.',
    ),
  paths: patternsOf('path', 'a path like /login or /admin/*')
    .optional()
    .describe(
      'The message is sent only for these paths, in any spelling. Written as in entries: /admin/* is everything below /admin/.',
    ),
  hosts: patternsOf('host', 'a host like admin.example or *.internal.example')
    .optional()
    .describe(
      'The message is sent only for these hosts. Written as in entries: *.example is every name below example.',
    ),
  frontends: uniqueListOf(
    text('a HAProxy frontend name', (name) => BACKEND_NAME.test(name)),
    MAX_PATTERNS,
    'HAProxy frontend names',
  )
    .optional()
    .describe('The message is sent only in these frontends (or listen sections); the others need no rules for it.'),
  oddPaths: oneOf(['refuse', 'pass'])
    .prefault('refuse')
    .describe(
      'A path that servers read in several ways, for example with %2F or ;, is answered 400. `pass` lets it through, and then no allow applies to it.',
    ),
  subjects: mapOf(kind, expression, MAX_SUBJECTS, 'kind: expression')
    .prefault({})
    .describe(
      'The subjects to look up, each with its HAProxy sample expression. Earlier kinds take precedence over later ones.',
    ),
  required: uniqueListOf(kind, MAX_SUBJECTS, 'kinds', 0)
    .prefault([])
    .describe(
      'A request without one of these kinds is refused with 400, as it always is without ip, host, path or method. Other kinds may be missing.',
    ),
  arguments: mapOf(name, expression, MAX_ARGUMENTS, 'name: expression')
    .prefault({})
    .describe('What the script receives in addition to the subjects.'),
  policy: policy.optional().describe('The policy of this message, instead of the global one.'),
  shadow: boolean()
    .prefault(false)
    .describe('Shadow mode: decisions are reported to HAProxy and logged, but not enforced.'),
}).refine(({ event, group }: Trigger) => event === undefined || group === undefined, {
  path: ['group'],
  error: 'omitted if event is set',
  when: ({ value }) => isObject(value),
});

interface Trigger {
  readonly event?: unknown;
  readonly group?: unknown;
}

export const messages = mapOf(name, message, MAX_MESSAGES, 'messages', 1)
  .prefault({ 'check-request': { subjects: { ip: 'src' } } })
  .describe('The SPOE messages that HAProxy sends, by name.');
