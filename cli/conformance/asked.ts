import type { ListActions } from '../../contract/list-actions.ts';

/** What the checks ask with. */
export interface Asked {
  /** The lists to ask, as the agent would. */
  readonly lists: readonly string[];
  /** Those that the agent holds to actions, where its settings are known. */
  readonly listActions?: ListActions;
  /** A subject that the backend has an entry for in one of the lists. */
  readonly listed?: string;
  /** How many calls the latency is taken from. */
  readonly calls: number;
  /** How long the agent waits for a call, where its settings are known. */
  readonly waitsMs?: number;
}
