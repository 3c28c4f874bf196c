/** Why there is no verdict. These are also the keys under which a policy can differ from its default. */
export const REASONS = [
  'timeout',
  'backend_error',
  'breaker_open',
  'overload',
  'no_subject',
  'bad_subject',
  'script_error',
  'internal_error',
  'too_large',
  'client_gone',
] as const;
export type Reason = (typeof REASONS)[number];

/**
 * What a client causes is not a failure: it is refused under either policy unless the policy names it.
 * The agent sees neither of the last two: HAProxy does (`option set-on-error`), and the generated rules act on them.
 */
export const CAUSED_BY_CLIENT: ReadonlySet<Reason> = new Set<Reason>(['bad_subject', 'too_large', 'client_gone']);

/** The decision when there is no verdict. */
export const POLICIES = ['open', 'closed'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** A policy for each reason that differs, and one for all others. */
export type Policy = Readonly<Partial<Record<Reason, PolicyName>>> & { readonly default: PolicyName };

/** The status under `closed`: an error is reported as an error, never as a ban. */
export const POLICY_STATUS = 503;
/** The status of what the client caused. */
export const REFUSED_STATUS = 400;
