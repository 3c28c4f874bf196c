import type { Decision, Reason } from './decision.ts';
import { decideByPolicy, type Policy } from './policy.ts';

/** What one subject contributes: the decision of its verdict, or the reason why there is none. */
export type Contribution = Decision | Reason;

/**
 * One decision from those of all subjects, which come in the order of the kinds in the configuration.
 * An allow entry wins over everything; then the first other entry; then, if anything is not known, the policy: a known
 * deny is not given up because another subject, which might have been allowed, could not be looked up.
 */
export function combine(contributions: readonly Contribution[], policy: Policy): Decision {
  let listed: Decision | undefined;
  let unlisted: Decision | undefined;
  let unknown: Reason | undefined;
  for (const contribution of contributions) {
    if (typeof contribution === 'string') unknown ??= contribution;
    else if (contribution.entry === undefined) unlisted = fresher(unlisted, contribution);
    else if (contribution.action === 'allow') return contribution;
    else listed ??= contribution;
  }
  if (listed !== undefined) return listed;
  if (unknown !== undefined) return decideByPolicy(policy, unknown);
  return unlisted ?? decideByPolicy(policy, 'no_subject');
}

/** The source of "nothing listed" is the backend as soon as one subject had to be asked there. */
function fresher(one: Decision | undefined, other: Decision): Decision {
  return one?.source === 'backend' ? one : other;
}
