import { z } from 'zod';
import { MAX_SUBJECTS } from '../contract/check.ts';
import { POLICIES, type Policy, REASONS } from '../contract/policy.ts';
import { isKind, KINDS, parseLookupSubject, SubjectError } from '../contract/subject.ts';
import { DEFAULT_EVENT, MESSAGE_EVENTS } from '../haproxy/events.ts';
import { boolean, isObject, listOf, map, mapOf, oneOf, text, uniqueListOf } from './fields.ts';

const MAX_MESSAGES = 16;
const MAX_ARGUMENTS = 32;
const MAX_PATTERNS = 32;
/** A line of HAProxy's configuration has 2048 bytes, and a byte of a path can take four. */
const MAX_PATTERN = 255;

const policyName = oneOf(POLICIES);
const POLICY_FORM = 'open, closed, or a map of reasons with default';
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
          eachMeaning: 'What is decided for this reason; `default` for those that are not named.',
        })
        .transform((byReason) => byReason as Policy), // the keys of the map are the reasons
    ],
    POLICY_FORM,
  )
  .meta({ mustBe: POLICY_FORM });

/** What HAProxy would cut an unquoted argument at, or read as something else (configuration.txt 2.2). */
const EXPRESSION = /^[^\s"'\\#\p{Cc}\P{ASCII}]{1,1000}$/u;
/** The same with blanks, as it stands at the end of a line. */
const CONDITION = /^(?!(if|unless)\s)(?=.*\S)[^"'\\#\p{Cc}\P{ASCII}]{1,500}$/u;

const kind = text(`a kind: ${KINDS.join(', ')}, header.NAME or cookie.NAME`, isKind);
const expression = text('one HAProxy sample expression in ASCII without blanks, quotes, \\ and #', (expression) =>
  EXPRESSION.test(expression),
);
const name = text('1 to 64 of A-Z a-z 0-9 _ . -', (name) => /^[A-Za-z0-9_.-]{1,64}$/.test(name));

/** Paths or hosts as entries name them, in canonical form. */
function patternsOf(kind: 'path' | 'host', what: string) {
  const pattern = text(what, (pattern) => pattern.length <= MAX_PATTERN && canonical(kind, pattern) !== undefined);
  return listOf(
    pattern.transform((pattern) => canonical(kind, pattern) ?? pattern),
    MAX_PATTERNS,
    what,
  );
}

/** Undefined for what is none, and for a path that servers read differently: the wiring refuses those. */
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
    .describe(`When HAProxy sends the message: ${DEFAULT_EVENT} if no group does.`),
  group: text('1 to 12 of a-z 0-9 _', (name) => /^[a-z0-9_]{1,12}$/.test(name))
    .optional()
    .describe(
      'Instead of an event: a rule sends it, `http-request send-spoe-group haverdict NAME`. The wiring has that rule where there is a condition, paths or hosts; without them it is yours to write.',
    ),
  condition: text('one line of ASCII without if before it, quotes, \\ and #, as { method POST }', (line) =>
    CONDITION.test(line),
  )
    .optional()
    .describe(
      'The ACL condition, without if, under which alone the message is sent. It must not read path, URL or Host: that is what paths and hosts are for.',
    ),
  paths: patternsOf('path', 'paths as /login and /admin/*')
    .optional()
    .describe(
      'The message is sent only for these paths, however a request spells them; written as entries are: /admin/* is all below /admin/.',
    ),
  hosts: patternsOf('host', 'hosts as admin.example and *.internal.example')
    .optional()
    .describe('The message is sent only for these hosts; written as entries are: *.example is all below example.'),
  oddPaths: oneOf(['refuse', 'pass'])
    .prefault('refuse')
    .describe(
      'A path that servers read in several ways, as with %2F or ;, is answered 400; pass lets it through, and then no allow counts for it.',
    ),
  subjects: mapOf(kind, expression, MAX_SUBJECTS, 'kind: expression')
    .prefault({})
    .describe('What is looked up, and the HAProxy sample expression that gives it. An earlier kind wins over a later.'),
  required: uniqueListOf(kind, MAX_SUBJECTS, 'kinds', 0)
    .prefault([])
    .describe(
      'The kinds without which a request is refused with 400, as ip, host, path and method always are; any other may be missing.',
    ),
  arguments: mapOf(name, expression, MAX_ARGUMENTS, 'name: expression')
    .prefault({})
    .describe('What the script receives beside the subjects.'),
  policy: policy.optional().describe('The policy of this message, instead of the global one.'),
  shadow: boolean().prefault(false).describe('On trial: what is decided is told and logged, and not enforced.'),
}).refine(({ event, group }: Trigger) => event === undefined || group === undefined, {
  path: ['group'],
  error: 'left out where event is set',
  when: ({ value }) => isObject(value),
});

interface Trigger {
  readonly event?: unknown;
  readonly group?: unknown;
}

export const messages = mapOf(name, message, MAX_MESSAGES, 'messages', 1)
  .prefault({ 'check-request': { subjects: { ip: 'src' } } })
  .describe('What HAProxy asks, by the name of the SPOE message.');
