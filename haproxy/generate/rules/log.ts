import { VARIABLES } from '../../vocabulary.ts';
import type { Reading } from '../reading.ts';

/** What `option httplog` logs (configuration.txt 8.2.3), which 2.4 has no name for. */
const HTTP_LOG =
  '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r';

/** A line for the log of requests that also tells what was decided; what comes from the table is quoted and escaped. */
export function logFormat(readings: readonly Reading[]): string {
  const decisions = readings.map(
    ({ variable }) =>
      `%[${variable(VARIABLES.action)}]/%[${variable(VARIABLES.source)}] %{+Q,+E}[${variable(VARIABLES.reason)}] %[${variable(VARIABLES.ref)}]`,
  );
  return `log-format '${HTTP_LOG} ${decisions.join(' ')}'`;
}
