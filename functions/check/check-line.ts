import type { CheckFacts } from '../../blocklist/service.ts';
import { type LineOf, metricLine } from '../metric-line.ts';

/** The line of a check: its metric, and what else CloudWatch Logs Insights can ask for. */
export function checkLine(facts: CheckFacts, requestId: string, of: LineOf): object {
  return {
    ...metricLine('Failures', facts.failures, of),
    lookups: facts.lookups,
    matches: facts.matches,
    keys: facts.keys,
    throttles: facts.throttles,
    tableMs: facts.tableMs,
    badEntries: facts.badEntries,
    requestId,
  };
}
