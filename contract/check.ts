import * as z from 'zod/mini';
import { ACTIONS, type Action, DENY_STATUSES, factsOf, REDIRECT_STATUSES } from './actions.ts';
import { varsProblem } from './entry-vars.ts';
import { CONTROL } from './subject.ts';

export const MAX_SUBJECTS = 100;
export const MAX_LISTS = 32;
/** More than there are: later versions may add some. */
const MAX_ACTIONS = 32;

/** The endpoints of a backend. */
export const ENDPOINTS = {
  check: { method: 'POST', path: '/v1/check' },
  health: { method: 'GET', path: '/v1/health' },
  updates: { method: 'GET', path: '/v1/updates' },
  mirror: { method: 'GET', path: '/v1/mirror' },
  segment: { method: 'GET', path: '/v1/mirror/{id}/{n}' },
} as const;
export type Endpoint = keyof typeof ENDPOINTS;

/** List names reach keys, logs and HAProxy variables: short and plain. */
export const LIST_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Characters of the longest reason. */
export const MAX_REASON = 200;

/** A reason reaches headers and logs: one short line without control characters and marks of direction. */
export const REASON = new RegExp(String.raw`^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{0,${MAX_REASON}}$`, 'u');

/** Text that people write for people: one line of visible characters, of any length. */
export const LINE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** The fields of an entry. */
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

/** The problem of an entry whose single fields are valid; undefined if there is none. */
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

/** The request of `POST /v1/check`: subjects in canonical text, and the lists to look into, in order of precedence. */
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
 * The answer for one subject: the winning entry, null for none, or `error` if this subject could not be looked up; with
 * `overload` if there were too many, which is not a failure of the backend.
 */
export const Verdict = z.object({
  subject: z.string(),
  entry: z.optional(z.nullable(Entry)),
  error: z.optional(z.string()),
  overload: z.optional(z.boolean()),
  /** Beside an entry or null: the entry that would have won but for `listActions`. */
  notCounted: z.optional(z.object({ subject: z.string(), list: z.string(), action: z.string() })),
});
export type Verdict = z.infer<typeof Verdict>;

const ttl = z.int().check(z.minimum(0), z.maximum(86_400));

/** One verdict for each requested subject, in the same order. `ttl` is how many seconds they may be kept at most. */
export const CheckResponse = z.object({
  verdicts: z.array(Verdict).check(z.maxLength(MAX_SUBJECTS)),
  ttl,
});
export type CheckResponse = z.infer<typeof CheckResponse>;

/** The response with its verdicts unchecked, so that one invalid verdict does not invalidate the others. */
export const CheckEnvelope = z.object({
  verdicts: z.array(z.unknown()).check(z.maxLength(MAX_SUBJECTS)),
  ttl,
});
