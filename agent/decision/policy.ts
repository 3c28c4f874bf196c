import {
  CAUSED_BY_CLIENT,
  POLICY_STATUS,
  type Policy,
  type PolicyName,
  REFUSED_STATUS,
  type Reason,
} from '../../contract/policy.ts';
import type { Decision } from './decision.ts';

/** The policy for a reason. `default` applies to failures only: reasons that a client causes are refused unless named. */
export function policyFor(policy: Policy, reason: Reason): PolicyName {
  return policy[reason] ?? (CAUSED_BY_CLIENT.has(reason) ? 'closed' : policy.default);
}

/** The same object for equal decisions, so that its encoding is reused. */
export function decideByPolicy(policy: Policy, reason: Reason): Decision {
  return policyFor(policy, reason) === 'open' ? open(reason) : closed(reason);
}

const open = memoized((reason): Decision => ({ action: 'allow', source: 'policy', reason }));
const closed = memoized((reason): Decision => {
  const status = CAUSED_BY_CLIENT.has(reason) ? REFUSED_STATUS : POLICY_STATUS;
  return { action: 'deny', source: 'policy', reason, status };
});

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
