import type { Log as WriteLog } from '../../blocklist/invalid-entry-log.ts';
import { type TrialDeps, tryCanaries } from '../../updates/trial.ts';

/** The handler of the schedule. What failed is tried again a minute later. */
export function createTrial(deps: TrialDeps & { readonly report: WriteLog }): () => Promise<void> {
  return async () => {
    try {
      const outcome = await tryCanaries(deps);
      if (outcome === 'not due') return;
      if (typeof outcome === 'string')
        deps.report('warn', 'trial of canaries not finished, it is repeated', { why: outcome });
      else deps.report('info', 'canaries found', { canaries: Object.keys(outcome.beats), base: outcome.base });
    } catch (error) {
      deps.report('error', 'trial of canaries failed, it is repeated', { problem: String(error) });
      throw error;
    }
  };
}
