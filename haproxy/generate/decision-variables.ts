import type { MessageSettings } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import { REQUEST_SCOPE, scopeOf } from '../events.ts';
import { ERROR_VARIABLE, VARIABLES } from '../variables.ts';

/** The variables of the decision on one message, and tests of them, as rules write both. */
export interface DecisionVariables {
  readonly message: MessageSettings;
  /** `txn.haverdict.action`. */
  readonly nameOf: (name: string) => string;
  /** `var(txn.haverdict.action)`. */
  readonly variable: (name: string) => string;
  /** Holds if one of these actions was decided. */
  readonly is: (...actions: readonly Action[]) => string;
  /** Holds if the decision has this variable. */
  readonly has: (name: string) => string;
  readonly hasStatus: (status: number) => string;
}

export function decisionVariables(prefix: string, message: MessageSettings): DecisionVariables {
  const { event, group } = message;
  const path = [scopeOf(event), prefix, ...(group === undefined ? [] : [group])].join('.');
  const nameOf = (name: string) => `${path}.${name}`;
  const variable = (name: string) => `var(${nameOf(name)})`;
  return {
    message,
    nameOf,
    variable,
    is: (...actions) => `{ ${variable(VARIABLES.action)} -m str ${actions.join(' ')} }`,
    has: (name) => `{ ${variable(name)} -m found }`,
    hasStatus: (status) => `{ ${variable(VARIABLES.status)} -m int ${status} }`,
  };
}

/** Where HAProxy itself reports that an event failed: in the scope `txn` whatever the event was (seen on 2.6 to 3.4). */
export function errorVariable(prefix: string): string {
  return `var(${REQUEST_SCOPE}.${prefix}.${ERROR_VARIABLE})`;
}
