import * as z from 'zod/mini';
import { ACTIONS, type Action, DENY_STATUSES, factsOf, REDIRECT_STATUSES } from './actions.ts';
import { CONTROL } from './subject.ts';
import { varsProblem } from './vars.ts';

export const MAX_SUBJECTS = 100;
export const MAX_LISTS = 32;
/** More than there are, for those of later versions. */
const MAX_ACTIONS = 32;

/** Everything that the agent asks a backend. */
export const ENDPOINTS = {
  check: { method: 'POST', path: '/v1/check' },
  health: { method: 'GET', path: '/v1/health' },
} as const;
export type Endpoint = keyof typeof ENDPOINTS;

/** List names reach keys, logs and HAProxy variables: short and plain. */
export const LIST_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** A reason reaches headers and logs: one line, no controls, nothing that turns the direction of writing, short. */
export const REASON = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{0,200}$/u;

/** What people write for people: one line of what can be seen, as long as it likes. */
export const LINE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** What an entry says. */
const EntryAlone = z.object({
  subject: z.string().check(z.minLength(1), z.maxLength(1024)),
  list: z.string().check(z.regex(LIST_NAME)),
  action: z.enum(ACTIONS),
  reason: z.optional(z.string().check(z.regex(REASON))),
  status: z.optional(z.literal([...DENY_STATUSES, ...REDIRECT_STATUSES])),
  vars: z.optional(z.record(z.string(), z.string())),
  /** Its action if its list were not in shadow mode; the action is `log` then. */
  shadow: z.optional(z.enum(ACTIONS)),
  expiresAt: z.optional(z.int().check(z.minimum(0))),
});

/** The entry that decided, as the function answers it. */
export const Entry = z.extend(EntryAlone, {
  /** Beside an allow for a path: the entry that wins where the allow does not count, as for odd spellings of the path. */
  unlessAllowed: z.optional(EntryAlone),
});
export type Entry = z.infer<typeof Entry>;

/** What is wrong with an entry whose fields are right one by one; undefined if nothing is. */
export function entryProblem({ unlessAllowed, ...entry }: Entry): string | undefined {
  if (unlessAllowed === undefined) return ownProblem(entry);
  if (entry.action !== 'allow' || unlessAllowed.action === 'allow')
    return 'unlessAllowed is another entry beside an allow';
  return ownProblem(entry) ?? ownProblem(unlessAllowed);
}

function ownProblem({ subject, action, status, shadow, vars = {} }: Omit<Entry, 'unlessAllowed'>): string | undefined {
  if (CONTROL.test(subject)) return 'subject has a control character in it';
  if (shadow !== undefined && action !== 'log') return `shadow goes with action log, not with ${action}`;
  const { needs } = factsOf(action);
  if (needs.length > 0 && needs.every((name) => vars[name] === undefined))
    return `action ${action} needs ${needs.map((name) => `vars.${name}`).join(' or ')}`;
  return statusProblem(action, status) ?? varsProblem(vars);
}

function statusProblem(action: Action, status: number | undefined): string | undefined {
  const { statuses } = factsOf(action);
  if (status === undefined || statuses.includes(status)) return undefined;
  return `status ${status} is none of ${statuses.join(', ')}, which action ${action} can have`;
}

/** `POST /v1/check`: subjects in canonical text, each answered from these lists, which come in order of precedence. */
export const CheckRequest = z.object({
  lists: z.array(z.string().check(z.regex(LIST_NAME))).check(z.minLength(1), z.maxLength(MAX_LISTS)),
  /** The lists in shadow mode: what they have counts as `log`. */
  shadowLists: z.optional(z.array(z.string().check(z.regex(LIST_NAME))).check(z.maxLength(MAX_LISTS))),
  /** The lists that are restricted to actions: an entry with another one does not count. A later agent may name actions unknown here. */
  listActions: z.optional(
    z.record(
      z.string().check(z.regex(LIST_NAME)),
      z.array(z.string().check(z.regex(/^[a-z]{1,16}$/))).check(z.maxLength(MAX_ACTIONS)),
    ),
  ),
  subjects: z
    .array(z.string().check(z.minLength(1), z.maxLength(1024)))
    .check(z.minLength(1), z.maxLength(MAX_SUBJECTS)),
});
export type CheckRequest = z.infer<typeof CheckRequest>;

/**
 * The answer for one subject: the entry that won, null for none, or `error` where this one could not be looked up: with
 * `overload` because it was too much for now, which is no failure of the backend.
 */
export const Verdict = z.object({
  subject: z.string(),
  entry: z.optional(z.nullable(Entry)),
  error: z.optional(z.string()),
  overload: z.optional(z.boolean()),
  /** Beside an entry or null: the one that would have won of those that did not count because of `listActions`. */
  notCounted: z.optional(z.object({ subject: z.string(), list: z.string(), action: z.string() })),
});
export type Verdict = z.infer<typeof Verdict>;

const ttl = z.int().check(z.minimum(0), z.maximum(86_400));

/** As many verdicts as subjects were asked, in the same order. `ttl` is how many seconds they may be kept at most. */
export const CheckResponse = z.object({
  verdicts: z.array(Verdict).check(z.maxLength(MAX_SUBJECTS)),
  ttl,
});
export type CheckResponse = z.infer<typeof CheckResponse>;

/** The response around its verdicts, for a reader to whom one bad verdict must not fail its neighbours. */
export const CheckEnvelope = z.object({
  verdicts: z.array(z.unknown()).check(z.maxLength(MAX_SUBJECTS)),
  ttl,
});
