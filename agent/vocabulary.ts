/** The names under which a decision reaches HAProxy, as `<scope>.<prefix>.<name>`; nothing else is ever set. */
export const VARIABLES = {
  action: 'action',
  source: 'source',
  reason: 'reason',
  list: 'list',
  entry: 'entry',
  status: 'status',
} as const;

/** Set by HAProxy itself (`option set-on-error`) when the agent could not be asked. */
export const ERROR_VARIABLE = 'error';
/** Set by HAProxy itself, in milliseconds (`option set-process-time`, `option set-total-time`). */
export const PROCESS_TIME_VARIABLE = 'process_ms';
export const TOTAL_TIME_VARIABLE = 'total_ms';

/** The name of the scope in HAProxy's configuration and its number on the wire (SPOE.txt 3.4). */
export const REQUEST_SCOPE = 'txn';

export const DEFAULT_PREFIX = 'haverdict';
