import type { Settings } from '../../config/settings.ts';
import { isSentAt } from '../events.ts';
import { decisionVariables } from './decision-variables.ts';
import { keptForResponse, requestChanges } from './rules/change.ts';
import { httpStops } from './rules/deny.ts';
import { noDecisionRules } from './rules/no-decision.ts';
import { refusals } from './rules/refusals.ts';
import { stopRules } from './rules/stop.ts';
import { sendConditionOf } from './send-condition.ts';
import { indent } from './syntax.ts';

/** The lines of an HTTP backend that obey what is decided once it is chosen; the filter is that of the frontend. */
export function backendRules({ haproxy, messages }: Pick<Settings, 'haproxy' | 'messages'>): string {
  const message = messages.find((message) => isSentAt(message, { section: 'backend' }));
  if (message === undefined) return '';
  const decision = decisionVariables(haproxy.prefix, message);
  return indent([
    ...keptForResponse(haproxy, decision),
    '',
    ...refusals(haproxy, [message]),
    '',
    ...sendConditionOf(message).acls,
    ...noDecisionRules(haproxy.prefix, decision, httpStops(haproxy, 'http-request')),
    '',
    ...stopRules(haproxy, decision, 'http-request'),
    '',
    ...requestChanges(haproxy, decision),
  ]);
}
