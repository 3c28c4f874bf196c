import { didYouMean } from '../../config/did-you-mean.ts';
import { ACTIONS, isAction } from '../../contract/actions.ts';
import { Entry, entryProblem, REASON } from '../../contract/check.ts';
import { shown } from '../../contract/shown.ts';
import type { Decision } from '../decision/decision.ts';
import type { Returned } from './messages.ts';

/** The decision that a function returned, or what is wrong with it. */
export function decidedBy({ action, reason, status, vars }: Returned): Decision | string {
  if (!isAction(action)) return `returned ${noAction(action)}`;
  if (reason !== undefined && !(typeof reason === 'string' && REASON.test(reason)))
    return 'returned a reason that is not one line of at most 200 characters';
  const entry = Entry.safeParse({ subject: 'rules', list: 'rules', action, reason, status, vars });
  if (!entry.success)
    return `returned ${status === undefined ? 'vars that are no texts' : `status ${shown(String(status))}, which no action has`}`;
  const problem = entryProblem(entry.data);
  if (problem !== undefined) return `returned what cannot be done: ${problem}`;
  return {
    action,
    source: 'rules',
    ...(reason === undefined ? {} : { reason }),
    ...(entry.data.status === undefined ? {} : { status: entry.data.status }),
    ...(entry.data.vars === undefined ? {} : { vars: entry.data.vars }),
  };
}

function noAction(action: unknown): string {
  if (typeof action !== 'string') return 'a decision without action';
  const meant = didYouMean(action, ACTIONS);
  return `action ${shown(action)}, ${meant === undefined ? `which is none of ${ACTIONS.join(', ')}` : `did you mean ${meant}?`}`;
}
