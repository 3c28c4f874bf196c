import { z } from 'zod';
import { MAX_SUBJECTS } from '../../contract/check.ts';
import { isKind, KINDS } from '../../contract/subject.ts';
import { REASONS } from '../decision/decision.ts';
import { POLICIES, type Policy } from '../decision/policy.ts';
import { isObject, map, mapOf, oneOf, setOf, text, truth } from './forms.ts';
import { EVENTS } from './settings.ts';

const MAX_MESSAGES = 16;
const MAX_ARGUMENTS = 32;

const policyName = oneOf(POLICIES);
const POLICY_FORM = 'open, closed, or a map of reasons with default';
export const policy = z
  .union(
    [
      policyName.transform((name): Policy => ({ default: name })),
      map({
        default: policyName,
        ...Object.fromEntries(REASONS.map((reason) => [reason, policyName.optional()])),
      }).transform((byReason) => byReason as Policy), // the keys of the map are the reasons
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

const message = map({
  event: oneOf(EVENTS)
    .optional()
    .describe('When HAProxy sends the message: on-frontend-http-request if no group does.'),
  group: text('1 to 12 of a-z 0-9 _', (name) => /^[a-z0-9_]{1,12}$/.test(name))
    .optional()
    .describe(
      'Instead of an event: a rule sends it, `http-request send-spoe-group haverdict NAME`. The wiring has that rule where there is a condition; without one it is yours to write.',
    ),
  condition: text('one line of ASCII without if before it, quotes, \\ and #, as { path_beg /login }', (line) =>
    CONDITION.test(line),
  )
    .optional()
    .describe('The ACL condition, without if, under which alone the message is sent.'),
  subjects: mapOf(kind, expression, MAX_SUBJECTS, 'kind: expression')
    .prefault({})
    .describe('What is looked up, and the HAProxy sample expression that gives it. An earlier kind wins over a later.'),
  required: setOf(kind, MAX_SUBJECTS, 'kinds', 0)
    .prefault([])
    .describe(
      'The kinds without which a request is refused with 400, as ip, host, path and method always are; any other may be missing.',
    ),
  oddPaths: oneOf(['refuse', 'pass'])
    .prefault('refuse')
    .describe(
      'What becomes of paths that servers read differently, such as /a%2Fb, /a;b and /a/../b: 400, or they pass and an allow for the path does not count.',
    ),
  arguments: mapOf(name, expression, MAX_ARGUMENTS, 'name: expression')
    .prefault({})
    .describe('What your rules are told beside the subjects.'),
  policy: policy.optional().describe('The policy of this message, instead of the global one.'),
  shadow: truth().prefault(false).describe('On trial: what is decided is told and logged, and not enforced.'),
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
