import { REDIRECT_STATUSES } from '../../../contract/actions.ts';
import { VARIABLES } from '../../vocabulary.ts';
import type { Reading } from '../reading.ts';
import { formatOf } from '../word.ts';
import type { HttpRuleset } from './deny.ts';

const DEFAULT_STATUS = 302;

/** HAProxy wants each status literally. */
export function redirectRules(reading: Reading, ruleset: HttpRuleset): string[] {
  const condition = `${reading.is('redirect')} ${reading.has(VARIABLES.location)}`;
  const rule = (status: number, more = '') =>
    `${ruleset} redirect code ${status} location ${formatOf(reading.variable(VARIABLES.location))} if ${condition}${more}`;
  return [
    ...REDIRECT_STATUSES.filter((status) => status !== DEFAULT_STATUS).map((status) =>
      rule(status, ` ${reading.hasStatus(status)}`),
    ),
    rule(DEFAULT_STATUS),
  ];
}
