import { setTimeout as pause } from 'node:timers/promises';
import type { AgentState } from '../../agent/state/state.ts';
import { askAgent } from '../agent-client/agent-client.ts';
import { CliError } from '../exit/cli-error.ts';
import { type Overview, overviewOf } from './overview.ts';

/** What is known after each interval; without an overview as long as the agent has never answered. */
export interface Sight {
  readonly overview: Overview;
  /** Why it is that of before. */
  readonly problem?: string;
}

/** Looks at the agent again and again until `signal`; rejects if there is none at first, later that is told and it goes on. */
export async function* watch(path: string, intervalMs: number, signal: AbortSignal): AsyncGenerator<Sight> {
  let before: AgentState = await askAgent(path, { command: 'state' });
  let overview = overviewOf(before);
  yield { overview };
  while (await paused(intervalMs, signal)) {
    try {
      const state: AgentState = await askAgent(path, { command: 'state' });
      overview = overviewOf(state, before);
      before = state;
      yield { overview };
    } catch (error) {
      // Also where it says that it cannot tell now, as while its workers end.
      if (!(error instanceof CliError)) throw error;
      yield { overview, problem: `${error.message} Trying again.` };
    }
  }
}

/** False as soon as it is over. */
async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  await pause(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
