import { DEFAULT_DENY_STATUS, type Rules } from '../contract/missing-rules.ts';
import { CAUSED_BY_CLIENT, POLICY_STATUS, type Policy, REFUSED_STATUS, type Reason } from '../contract/policy.ts';
import type { ConfigFile } from './schema.ts';

type Message = ConfigFile['messages'][string];
/** The sections that say what HAProxy has rules for. */
export type RuleSections = Pick<ConfigFile, 'haproxy' | 'messages' | 'policy'>;

/** What HAProxy has rules for with this configuration. */
export function toRules(file: RuleSections): Rules {
  return { ...file.haproxy, denyStatuses: toDenyStatuses(file) };
}

/**
 * The statuses that HAProxy has deny rules for: 403, those that are named, those with a page, and what the agent itself
 * denies with: 503 where a policy is closed, 400 where a client can send what is no subject.
 */
export function toDenyStatuses({
  haproxy: { denyStatuses, denyPages },
  messages,
  policy: global,
}: RuleSections): number[] {
  const all = Object.values(messages);
  const statuses = new Set([
    DEFAULT_DENY_STATUS,
    ...denyStatuses,
    ...Object.keys(denyPages).map(Number),
    ...(all.some(({ policy = global }) => closes(policy)) ? [POLICY_STATUS] : []),
    ...(all.some((message) => refuses(message, global)) ? [REFUSED_STATUS] : []),
  ]);
  return [...statuses].sort((a, b) => a - b);
}

function closes(policy: Policy): boolean {
  return Object.entries(policy).some(([reason, name]) => name === 'closed' && !CAUSED_BY_CLIENT.has(reason as Reason)); // or `default`
}

/** Every connection has the address `src`; all else is what a client sends, or what HAProxy may not have. */
function refuses({ subjects, required, policy }: Message, global: Policy): boolean {
  const isOpen = (policy ?? global).bad_subject === 'open';
  return !isOpen && (required.length > 0 || Object.values(subjects).some((expression) => expression !== 'src'));
}
