import type { Policy, Reason } from '../../contract/policy.ts';
import type { Decision, SubjectVerdict } from './decision.ts';
import { decideByPolicy } from './policy.ts';

/** Of several "nothing listed", the one with the highest rank names the source. */
const SOURCE_RANK = { mirror: 0, cache: 1, stale: 2, backend: 3, policy: 4, script: 5 } as const;

/**
 * One decision from the verdicts of all subjects, in the order of the kinds in the configuration. An allow entry wins over
 * everything; then the first other entry; then, if any verdict is missing, the policy: a deny stands although another
 * subject, which might have been allowed, could not be looked up. A log entry comes last: it must not change anything.
 */
export function combine(verdicts: readonly SubjectVerdict[], policy: Policy): Decision {
  let listed: Decision | undefined;
  let logged: Decision | undefined;
  let unlisted: Decision | undefined;
  let unknown: Reason | undefined;
  for (const verdict of verdicts) {
    if (typeof verdict === 'string') unknown ??= verdict;
    else if (verdict.list === undefined) unlisted = higherRanked(unlisted, verdict);
    else if (verdict.action === 'allow') return verdict;
    else if (verdict.action === 'log') logged ??= verdict;
    else listed ??= verdict;
  }
  if (listed !== undefined) return listed;
  if (unknown !== undefined) return decideByPolicy(policy, unknown);
  return logged ?? unlisted ?? decideByPolicy(policy, 'no_subject');
}

function higherRanked(one: Decision | undefined, other: Decision): Decision {
  return one !== undefined && SOURCE_RANK[one.source] >= SOURCE_RANK[other.source] ? one : other;
}
