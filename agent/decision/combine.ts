import type { Policy, Reason } from '../../contract/policy.ts';
import type { Decision, SubjectVerdict } from './decision.ts';
import { decideByPolicy } from './policy.ts';

/** How much has to be known about: the least known of "nothing listed" names the source. */
const DISTANCE = { cache: 0, stale: 1, backend: 2, policy: 3, script: 4 } as const;

/**
 * One decision from those of all subjects, which come in the order of the kinds in the configuration.
 * An allow entry wins over everything; then the first other entry; then, if anything is not known, the policy: a known
 * deny is not given up because another subject, which might have been allowed, could not be looked up. What is only logged
 * comes last: it must change nothing for anybody.
 */
export function combine(verdicts: readonly SubjectVerdict[], policy: Policy): Decision {
  let listed: Decision | undefined;
  let logged: Decision | undefined;
  let unlisted: Decision | undefined;
  let unknown: Reason | undefined;
  for (const verdict of verdicts) {
    if (typeof verdict === 'string') unknown ??= verdict;
    else if (verdict.list === undefined) unlisted = farther(unlisted, verdict);
    else if (verdict.action === 'allow') return verdict;
    else if (verdict.action === 'log') logged ??= verdict;
    else listed ??= verdict;
  }
  if (listed !== undefined) return listed;
  if (unknown !== undefined) return decideByPolicy(policy, unknown);
  return logged ?? unlisted ?? decideByPolicy(policy, 'no_subject');
}

function farther(one: Decision | undefined, other: Decision): Decision {
  return one !== undefined && DISTANCE[one.source] >= DISTANCE[other.source] ? one : other;
}
