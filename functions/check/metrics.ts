import type { CheckFacts } from '../../blocklist/service.ts';
import { embeddedMetrics } from '../embedded-metrics.ts';

/** The metrics that CloudWatch keeps. Each is billed by the month, so it is only what an alarm watches. */
export const METRICS = { Failures: 'Count' } as const;

/** The call that a line is about. */
export interface Call {
  readonly functionName: string;
  readonly requestId: string;
  readonly epochMs: number;
}

/** The line from which CloudWatch makes the metrics, with more about the call for people. */
export function metricLine(facts: CheckFacts, { requestId, ...call }: Call): object {
  return {
    ...embeddedMetrics(METRICS, { Failures: facts.failures }, call),
    lookups: facts.lookups,
    matches: facts.matches,
    keys: facts.keys,
    throttles: facts.throttles,
    tableMs: facts.tableMs,
    badEntries: facts.badEntries,
    requestId,
  };
}
