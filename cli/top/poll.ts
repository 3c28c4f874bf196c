import { setTimeout as pause } from 'node:timers/promises';
import type { AgentState } from '../../agent/state/state.ts';
import { askAgent } from '../agent-client/agent-client.ts';
import { CliError } from '../exit/cli-error.ts';
import { type Overview, overviewOf } from './overview.ts';

/** The latest overview, after each interval. */
export interface Poll {
  readonly overview: Overview;
  /** Why the overview is not current. */
  readonly problem?: string;
}

/** Polls the agent until `signal`; rejects if the first request fails, later failures are reported as `problem`. */
export async function* poll(path: string, intervalMs: number, signal: AbortSignal): AsyncGenerator<Poll> {
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
      if (!(error instanceof CliError)) throw error;
      yield { overview, problem: `${error.message}; retrying` };
    }
  }
}

/** What stays on a screen that is paused; whether the agent answers is told all the same. */
export function held({ overview }: Poll, { problem }: Poll): Poll {
  return { overview, ...(problem !== undefined && { problem }) };
}

/** False once the signal is aborted. */
async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  await pause(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
