import type { Built } from '../../updates/builder.ts';
import { type LineOf, metricLine } from '../metric-line.ts';

/** Above any limit: there is no mirror. */
const NONE_SECONDS = 7 * 86_400;

/** The lines from which CloudWatch makes the metrics; that of repairs is seldom there. */
export function builderLines({ madeMs, repairs }: Built, of: LineOf): object[] {
  const age = madeMs === undefined ? NONE_SECONDS : Math.max(0, Math.round((of.epochMs - madeMs) / 1000));
  return [metricLine('MirrorAge', age, of), ...(repairs > 0 ? [metricLine('Repairs', repairs, of)] : [])];
}
