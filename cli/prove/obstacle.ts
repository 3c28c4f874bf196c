import type { Explanation } from '../../agent/admin/socket/protocol.ts';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { toListSettings } from '../../config/list-settings.ts';
import type { ConfigFile } from '../../config/schema.ts';
import { listActionProblem } from '../../contract/permitted-actions.ts';

export type ProofSections = Pick<ConfigFile, 'lists' | 'shadowLists' | 'messages' | 'cache' | 'haproxy'>;

/** Why no agent with this configuration would deny by this entry; undefined if it would. */
export function obstacleIn(sections: ProofSections, entry: StoredEntry): string | undefined {
  const { lists, listActions } = toListSettings(sections.lists);
  const { list } = entry;
  if (!lists.includes(list))
    return `list ${list} is not asked: the agents look in ${lists.join(', ')} (--list chooses one of them)`;
  if (sections.shadowLists.includes(list)) return `list ${list} is in shadow mode: its entries only log (shadowLists)`;
  const problem = listActionProblem(entry, listActions);
  if (problem !== undefined) return problem;
  const messages = Object.values(sections.messages);
  if (!messages.some(({ subjects }) => 'ip' in subjects))
    return 'no message looks up addresses (messages.NAME.subjects.ip)';
  if (messages.every(({ shadow }) => shadow))
    return 'every message is in shadow mode: decisions only log (messages.NAME.shadow)';
  return undefined;
}

/** What the running agent says of a client that got through. */
export function obstacleAtAgent({ breaker, subjects: [asked] }: Explanation): string {
  const cached = asked?.processes.find((one) => one.cached !== undefined)?.cached;
  if (breaker !== 'closed')
    return 'the agent does not reach the backend, and the policy lets the client pass (haverdict top)';
  if (cached === undefined)
    return 'the agent was not asked about this address: HAProxy does not ask it in this frontend, or sees another client address (haverdict doctor)';
  if (cached.action === undefined)
    return `the lookup of the agent failed (${cached.reason}), and the policy lets the client pass`;
  if (cached.action === 'deny')
    return 'the agent denies it, and HAProxy does not obey: its rules are missing or older than the configuration (haverdict doctor)';
  if (cached.list !== undefined)
    return `the agent has ${cached.action} by ${cached.entry ?? 'an entry'} of list ${cached.list}, which comes first`;
  return 'the agent found no entry: its function reads another table, or its answer is kept for longer than this proof waits (cache.allowTtlSeconds)';
}
