import type { Action } from '../../contract/actions.ts';
import type { Entry } from '../../contract/check.ts';
import type { Vars } from '../../contract/entry-vars.ts';
import type { Reason } from '../../contract/policy.ts';
import { redactedSubject } from '../../contract/redact.ts';

/** Where a decision came from. */
export const SOURCES = ['mirror', 'cache', 'backend', 'stale', 'policy', 'script'] as const;
export type Source = (typeof SOURCES)[number];

/** The decision on one message. Equal decisions are the same object where that is cheap. */
export interface Decision {
  readonly action: Action;
  readonly source: Source;
  /** The entry's own reason, or why the policy decided. */
  readonly reason?: string;
  readonly status?: number;
  /** The list of the entry that won, if one did. */
  readonly list?: string;
  /** The subject of that entry, redacted; absent where `ofAddress` says that it is the address of the request. */
  readonly entry?: string;
  readonly ofAddress?: true;
  /** The variables of the entry. */
  readonly vars?: Vars;
  /** In shadow mode, the action that is not enforced; `action` is `log` then. */
  readonly shadow?: Action;
  /** Beside an allow for a path: the decision where the allow does not count. */
  readonly unlessAllowed?: Decision;
}

/** The decision by one subject's verdict, or why there is none. */
export type SubjectVerdict = Decision | Reason;

/** A failed lookup, with the reason for the policy. */
export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The decision by the entry that won, or null for none. */
export function decisionOf(entry: Entry | null, source: Source): Decision {
  if (entry === null) return NOTHING_LISTED[source];
  const { action, reason, status, list, subject, vars, shadow, unlessAllowed } = entry;
  return {
    action,
    source,
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
    list,
    entry: redactedSubject(subject),
    ...(vars === undefined ? {} : { vars }),
    ...(shadow === undefined ? {} : { shadow }),
    ...(unlessAllowed === undefined ? {} : { unlessAllowed: decisionOf(unlessAllowed, source) }),
  };
}

/** The same verdict as a stale one; undefined for a failed lookup. */
export function asStale(verdict: SubjectVerdict): Decision | undefined {
  if (typeof verdict === 'string') return undefined;
  if (verdict.source === 'stale') return verdict;
  const { unlessAllowed } = verdict;
  return {
    ...verdict,
    source: 'stale',
    ...(unlessAllowed && { unlessAllowed: { ...unlessAllowed, source: 'stale' } }),
  };
}

/** The verdict where an allow does not count: as if there were no such entry. */
export function withoutAllow(verdict: SubjectVerdict): SubjectVerdict {
  if (!isAllowEntry(verdict)) return verdict;
  return verdict.unlessAllowed ?? NOTHING_LISTED[verdict.source];
}

export function isAllowEntry(verdict: SubjectVerdict | undefined): verdict is Decision {
  return typeof verdict === 'object' && verdict.action === 'allow' && verdict.list !== undefined;
}

/** Whether an entry decided. */
export function isListed(verdict: SubjectVerdict): boolean {
  return typeof verdict === 'object' && verdict.list !== undefined;
}

export function isKnownDeny(verdict: SubjectVerdict): boolean {
  return isListed(verdict) && !isAllowEntry(verdict);
}

/** The same decision in shadow mode. */
export function inShadowMode(decision: Decision): Decision {
  if (decision.action === 'allow' || decision.action === 'log') return decision;
  const { action, status: _status, vars: _vars, ...rest } = decision;
  return { ...rest, action: 'log', shadow: action };
}

const NOTHING_LISTED = {
  mirror: { action: 'allow', source: 'mirror' },
  cache: { action: 'allow', source: 'cache' },
  backend: { action: 'allow', source: 'backend' },
  stale: { action: 'allow', source: 'stale' },
  policy: { action: 'allow', source: 'policy' },
  script: { action: 'allow', source: 'script' },
} as const satisfies Record<Source, Decision>;

/** The entry without an `unlessAllowed` that has expired: the allow itself stays. */
export function withoutExpired(entry: Entry | null, epochMs: number): Entry | null {
  const endsAt = entry?.unlessAllowed?.expiresAt;
  if (entry === null || endsAt === undefined || endsAt * 1000 > epochMs) return entry;
  const { unlessAllowed: _unlessAllowed, ...rest } = entry;
  return rest;
}
