import type { Decision, Reason } from './decision.ts';

/** What is decided when it cannot be known. */
export const POLICIES = ['open', 'closed'] as const;
export type PolicyName = (typeof POLICIES)[number];

/** A policy for each reason that differs, and one for all others. */
export type Policy = Readonly<Partial<Record<Reason, PolicyName>>> & { readonly default: PolicyName };

/** The status under `closed`: an error is told as an error, never as a ban. */
export const POLICY_STATUS = 503;

/** The decision for this reason; the same object each time, so that its encoding can be reused. */
export function decideByPolicy(policy: Policy, reason: Reason): Decision {
  return (policy[reason] ?? policy.default) === 'open' ? open(reason) : closed(reason);
}

const open = memoized((reason): Decision => ({ action: 'allow', source: 'policy', reason }));
const closed = memoized((reason): Decision => ({ action: 'deny', source: 'policy', reason, status: POLICY_STATUS }));

function memoized(make: (reason: Reason) => Decision): (reason: Reason) => Decision {
  const made = new Map<Reason, Decision>();
  return (reason) => {
    const known = made.get(reason);
    if (known !== undefined) return known;
    const decision = make(reason);
    made.set(reason, decision);
    return decision;
  };
}
