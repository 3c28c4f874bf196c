import type { Results } from '../../agent/admin/socket/protocol.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { type AgentAddress, askAgentAt } from './agent-address.ts';

/** How many requests an entry denied, as several agents have counted. */
export interface EntryCount {
  readonly count: number;
  /** Whether no deny is missing in `count`. */
  readonly isComplete: boolean;
  /** The start of the agent that started last: each counts from its own. */
  readonly since: string;
}

/** Asks every agent; rejects if one cannot be asked, since the counts would be too low. */
export async function askHits(agents: readonly AgentAddress[]): Promise<(subject: string, list: string) => EntryCount> {
  const told = await Promise.all(agents.map((agent) => askAgentAt(agent, 'hits', parseHits)));
  const counts = new Map<string, number>();
  for (const { subject, list, count } of told.flatMap(({ entries }) => entries)) {
    const key = `${list} ${subject}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  const isComplete = told.every((one) => one.isComplete);
  const since = new Date(Math.max(...told.map(({ sinceMs }) => sinceMs))).toISOString();
  return (subject, list) => ({ count: counts.get(`${list} ${redactedSubject(subject)}`) ?? 0, isComplete, since });
}

function parseHits(answer: unknown): Results['hits'] | undefined {
  const { sinceMs, isComplete, entries } = (answer ?? {}) as Partial<Results['hits']>; // checked here
  if (sinceMs === undefined || !Number.isSafeInteger(sinceMs) || typeof isComplete !== 'boolean') return undefined;
  if (!Array.isArray(entries)) return undefined;
  const areCounts = entries.every(
    (one) => typeof one?.subject === 'string' && typeof one.list === 'string' && Number.isSafeInteger(one.count),
  );
  return areCounts ? { sinceMs, isComplete, entries } : undefined;
}
