import { VARIABLES } from '../../variables.ts';
import type { DecisionVariables } from '../decision-variables.ts';
import { formatVariable } from '../syntax.ts';

/** A denied client can quote its value, so that the request is found in the agent's log. */
export const REFERENCE_HEADER = 'x-haverdict-ref';

/**
 * Sets the reference id on whatever answers a denied request. HAProxy ignores the `hdr` of a deny that has no body of its
 * own (configuration.txt, `http-request return`); this rule works for all of them.
 */
export function referenceRule({ variable, has }: DecisionVariables): string {
  const { ref } = VARIABLES;
  return `http-after-response set-header ${REFERENCE_HEADER} ${formatVariable(variable(ref))} if ${has(ref)}`;
}

/** What `option httplog` logs (configuration.txt 8.2.3), which 2.4 has no name for. */
const HTTP_LOG =
  '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r';

/** A request log with the decisions; text from the table is quoted and escaped. */
export function logFormat(decisions: readonly DecisionVariables[]): string {
  const fields = decisions.map(
    ({ variable }) =>
      `%[${variable(VARIABLES.action)}]/%[${variable(VARIABLES.source)}] %{+Q,+E}[${variable(VARIABLES.reason)}] %[${variable(VARIABLES.ref)}]`,
  );
  return `log-format '${HTTP_LOG} ${fields.join(' ')}'`;
}
