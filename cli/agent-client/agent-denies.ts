import type { AgentState, RecentDeny, TopSubject } from '../../agent/state/state.ts';
import { CliError } from '../exit/cli-error.ts';
import { type AgentAddress, askAgentAt } from './agent-address.ts';

interface Denies {
  readonly host: string;
  /** Newest first. */
  readonly recent: readonly (Omit<RecentDeny, 'atMs'> & { readonly at: string })[];
  /** Of the last five minutes, most frequent first. */
  readonly top: readonly TopSubject[];
}

/** What one agent denied lately, or why it cannot tell. */
export type AgentDenies = { readonly agent: string } & (Denies | { readonly problem: string });

/** Asks every agent; one that does not answer keeps nothing of the others back. */
export function askDenies(agents: readonly AgentAddress[]): Promise<AgentDenies[]> {
  return Promise.all(
    agents.map(async (agent): Promise<AgentDenies> => {
      try {
        return { agent: agent.name, ...(await askAgentAt(agent, 'state', parseDenies)) };
      } catch (error) {
        if (error instanceof CliError) return { agent: agent.name, problem: error.message };
        throw error;
      }
    }),
  );
}

function parseDenies(answer: unknown): Denies | undefined {
  const { host, recent, top } = (answer ?? {}) as Partial<AgentState>; // checked here
  if (typeof host !== 'string' || !Array.isArray(recent) || !Array.isArray(top)) return undefined;
  const areDenies = recent.every(
    (one) => Number.isSafeInteger(one?.atMs) && typeof one.subject === 'string' && typeof one.list === 'string',
  );
  const areCounts = top.every((one) => typeof one?.subject === 'string' && Number.isSafeInteger(one.count));
  if (!areDenies || !areCounts) return undefined;
  return { host, recent: recent.map(({ atMs, ...rest }) => ({ at: new Date(atMs).toISOString(), ...rest })), top };
}
