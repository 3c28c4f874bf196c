import { VARIABLES } from '../../vocabulary.ts';
import type { Reading } from '../reading.ts';
import { formatOf } from '../word.ts';

/** What a denied client can name, so that its request is found in the agent's log. */
export const REFERENCE_HEADER = 'x-haverdict-ref';

/**
 * The reference id on whatever answers a denied request. HAProxy ignores the `hdr` of a deny that has no body of its own
 * (configuration.txt, `http-request return`), and takes this for all of them.
 */
export function referenceRule(reading: Reading): string {
  const { ref } = VARIABLES;
  return `http-after-response set-header ${REFERENCE_HEADER} ${formatOf(reading.variable(ref))} if ${reading.has(ref)}`;
}
