import type { Built } from '../../updates/builder.ts';
import { embeddedMetrics } from '../embedded-metrics.ts';

/** The metrics that CloudWatch keeps; each is what an alarm watches. */
export const METRICS = { MirrorAge: 'Seconds', Repairs: 'Count' } as const;

/** Above any limit: there is no mirror. */
const NONE_SECONDS = 7 * 86_400;

/** The line from which CloudWatch makes the metrics. */
export function metricLine({ madeMs, repairs }: Built, functionName: string, epochMs: number): object {
  const age = madeMs === undefined ? NONE_SECONDS : Math.max(0, Math.round((epochMs - madeMs) / 1000));
  return embeddedMetrics(METRICS, { MirrorAge: age, Repairs: repairs }, { functionName, epochMs });
}
