import type { Action, Entry } from '../../contract/check.ts';

/** Where a decision came from. */
export const SOURCES = ['cache', 'backend', 'policy'] as const;
export type Source = (typeof SOURCES)[number];

/** Why the policy had to decide. Also the keys under which a policy can differ from its default. */
export const REASONS = ['timeout', 'backend_error', 'overload', 'no_subject', 'bad_subject', 'internal_error'] as const;
export type Reason = (typeof REASONS)[number];

/** The answer to one message, ready to be told to HAProxy. Equal decisions are the same object where that is cheap. */
export interface Decision {
  readonly action: Action;
  readonly source: Source;
  /** The entry's own reason, or why the policy decided. */
  readonly reason?: string;
  readonly status?: number;
  /** The entry that won, if one did. */
  readonly entry?: Entry;
}

/** A lookup that brought no verdict, with the reason the policy is asked for. */
export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
