import type { AgentState } from '../state/state.ts';

/** Something that an operator has to look at. */
export interface Problem {
  /** What it means for clients. */
  readonly effect: string;
  readonly cause: string;
  /** The part of the state that shows more. */
  readonly about: 'backend' | 'updates' | 'reloads';
  /** Absent if nobody knows. */
  readonly sinceMs?: number;
  /** What failed last, and when. */
  readonly lastError?: { readonly text: string; readonly atMs?: number };
  /** What to do first. */
  readonly advice: string;
  /** The command for that. */
  readonly command?: string;
  /** The section of docs/runbook.md. */
  readonly runbook: string;
  /** Expected for a moment after the start. */
  readonly isStarting?: true;
}

/** What tells of problems. */
export type HealthFacts = Pick<
  AgentState,
  | 'listening'
  | 'startedAtMs'
  | 'takenAtMs'
  | 'decisions'
  | 'lastMinute'
  | 'backend'
  | 'updates'
  | 'mirror'
  | 'degradation'
  | 'reloads'
  | 'config'
>;

/** The log of an agent that systemd runs. */
export const SEE_LOG = { advice: "read the agent's log", command: 'journalctl -u haverdict -n 50' } as const;
