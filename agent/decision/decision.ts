import type { Action, Entry } from '../../contract/check.ts';

/** Where a decision came from. */
export const SOURCES = ['cache', 'backend', 'stale', 'policy'] as const;
export type Source = (typeof SOURCES)[number];

/** Why the policy had to decide. Also the keys under which a policy can differ from its default. */
export const REASONS = [
  'timeout',
  'backend_error',
  'breaker_open',
  'overload',
  'no_subject',
  'bad_subject',
  'internal_error',
] as const;
export type Reason = (typeof REASONS)[number];

/** The answer to one message, ready to be told to HAProxy. Equal decisions are the same object where that is cheap. */
export interface Decision {
  readonly action: Action;
  readonly source: Source;
  /** The entry's own reason, or why the policy decided. */
  readonly reason?: string;
  readonly status?: number;
  /** The list of the entry that won, if one did. */
  readonly list?: string;
  /** The subject of that entry; absent also where it is the asked address itself, which `ofAddress` says. */
  readonly entry?: string;
  readonly ofAddress?: true;
}

/** What one subject contributes: the decision of its verdict, or the reason why there is none. */
export type Contribution = Decision | Reason;

/** A lookup that brought no verdict, with the reason the policy is asked for. */
export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The decision that one subject's verdict makes: the entry that won, or null for none. */
export function decisionOf(entry: Entry | null, source: Source): Decision {
  if (entry === null) return NOTHING_LISTED[source];
  const { action, reason, status, list, subject } = entry;
  return {
    action,
    source,
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
    list,
    entry: subject,
  };
}

const NOTHING_LISTED = {
  cache: { action: 'allow', source: 'cache' },
  backend: { action: 'allow', source: 'backend' },
  stale: { action: 'allow', source: 'stale' },
  policy: { action: 'allow', source: 'policy' },
} as const satisfies Record<Source, Decision>;
