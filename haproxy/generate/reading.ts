import type { MessageSettings, Settings } from '../../config/settings.ts';
import type { Action } from '../../contract/actions.ts';
import { REQUEST_SCOPE, scopeOf } from '../events.ts';
import { ERROR_VARIABLE, VARIABLES } from '../vocabulary.ts';

/** The decision on one message, as rules read it. */
export interface Reading {
  readonly message: MessageSettings;
  /** `var(txn.haverdict.action)`. */
  readonly variable: (name: string) => string;
  /** Holds where one of these actions was decided. */
  readonly is: (...actions: readonly Action[]) => string;
  /** Holds where the decision says this. */
  readonly has: (name: string) => string;
  readonly hasStatus: (status: number) => string;
}

export function readingOf(settings: Settings, message: MessageSettings): Reading {
  const before = [
    scopeOf(message.event),
    settings.haproxy.prefix,
    ...(message.group === undefined ? [] : [message.group]),
  ].join('.');
  const variable = (name: string) => `var(${before}.${name})`;
  return {
    message,
    variable,
    is: (...actions) => `{ ${variable(VARIABLES.action)} -m str ${actions.join(' ')} }`,
    has: (name) => `{ ${variable(name)} -m found }`,
    hasStatus: (status) => `{ ${variable(VARIABLES.status)} -m int ${status} }`,
  };
}

/** HAProxy's own word that an event failed: in the scope `txn` whatever the event was (seen on 2.6 to 3.4). */
export function errorVariable({ haproxy }: Settings): string {
  return `var(${REQUEST_SCOPE}.${haproxy.prefix}.${ERROR_VARIABLE})`;
}
