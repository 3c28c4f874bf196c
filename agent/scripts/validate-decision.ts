import { didYouMean } from '../../config/did-you-mean.ts';
import { ACTIONS, isAction } from '../../contract/actions.ts';
import { Entry, entryProblem, REASON } from '../../contract/check.ts';
import { printable } from '../../contract/printable.ts';
import type { Decision } from '../decision/decision.ts';
import type { ReturnedValue } from './ipc.ts';

/** The decision that a function returned, or what is wrong with it. */
export function validateDecision({ action, reason, status, vars }: ReturnedValue): Decision | string {
  if (!isAction(action)) return `returned ${unknownAction(action)}`;
  if (reason !== undefined && !(typeof reason === 'string' && REASON.test(reason)))
    return 'returned a reason that is not one line of at most 200 characters';
  const entry = Entry.safeParse({ subject: 'script', list: 'script', action, reason, status, vars });
  if (!entry.success)
    return `returned ${status === undefined ? 'vars that are not strings' : `status ${printable(String(status))}, which is not valid for any action`}`;
  const problem = entryProblem(entry.data);
  if (problem !== undefined) return `returned an invalid decision: ${problem}`;
  return {
    action,
    source: 'script',
    ...(reason === undefined ? {} : { reason }),
    ...(entry.data.status === undefined ? {} : { status: entry.data.status }),
    ...(entry.data.vars === undefined ? {} : { vars: entry.data.vars }),
  };
}

function unknownAction(action: unknown): string {
  if (typeof action !== 'string') return 'a decision without an action';
  const meant = didYouMean(action, ACTIONS);
  const hint = meant === undefined ? `expected one of ${ACTIONS.join(', ')}` : `did you mean ${meant}?`;
  return `unknown action ${printable(action)}, ${hint}`;
}
