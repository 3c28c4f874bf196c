import { DENY_STATUSES, OPT_IN } from '../../contract/actions.ts';
import type { Rules } from '../../contract/missing-rules.ts';

/** A configuration that names everything, and two backends. */
export const ALL_RULES: Rules = {
  actions: OPT_IN,
  denyStatuses: DENY_STATUSES,
  backends: ['blue', 'green'],
  requestHeaders: ['X-Plan'],
  responseHeaders: ['Server'],
};
