/**
 * The names of the variables of a decision, `<scope>.<prefix>.<name>`; the only others are those of the headers in the
 * configuration (`headerVariable`). The name of a group precedes those of its variables: `<group>.<name>`.
 */
export const VARIABLES = {
  action: 'action',
  source: 'source',
  reason: 'reason',
  list: 'list',
  entry: 'entry',
  status: 'status',
  shadow: 'shadow',
  ref: 'ref',
  location: 'location',
  backend: 'backend',
  path: 'path',
  query: 'query',
  body: 'body',
} as const;

/** The changes of a header, as in HAProxy's set-header, add-header and del-header. */
export const HEADER_CHANGES = ['set', 'add', 'del'] as const;
export type HeaderChange = (typeof HEADER_CHANGES)[number];

/** The variable that changes a header of the request (`req`) or the response (`res`); HAProxy allows no dash in names. */
export function headerVariable(side: 'req' | 'res', change: HeaderChange, header: string): string {
  return `${side}.${change}.${header.toLowerCase().replaceAll('-', '_')}`;
}

/**
 * HAProxy's variable for everything an entry can have in addition to its action, by the entry's name for it. `split` is not
 * among them: the agent chooses a backend and sets `backend`.
 */
export function varsOf(headers: {
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
}): ReadonlyMap<string, string> {
  const { location, backend, path, query, body } = VARIABLES;
  const changes = (side: 'req' | 'res', names: readonly string[]) =>
    names.flatMap((name) =>
      HEADER_CHANGES.map(
        (change) => [`${side}.${change}.${name.toLowerCase()}`, headerVariable(side, change, name)] as const,
      ),
    );
  return new Map([
    ...[location, backend, path, query, body].map((name) => [name, name] as const),
    ...changes('req', headers.requestHeaders),
    ...changes('res', headers.responseHeaders),
  ]);
}

/** HAProxy builds `<scope>.<prefix>.<name>` in 64 bytes, one of them NUL; longer ones are never set (flt_spoe.c). */
export const MAX_VARIABLE = 63;
/** The longest name without scope and prefix that is encoded. */
export const MAX_NAME = 40;
/** The longest name of a header that fits into the name of a variable. */
export const MAX_HEADER_NAME = 32;

/** Set by HAProxy itself (`option set-on-error`) when the agent could not be asked. */
export const ERROR_VARIABLE = 'error';
/** Set by HAProxy itself, in milliseconds (`option set-process-time`, `option set-total-time`). */
export const PROCESS_TIME_VARIABLE = 'process_ms';
export const TOTAL_TIME_VARIABLE = 'total_ms';

export const DEFAULT_PREFIX = 'haverdict';

/**
 * HAProxy has no fetch for all values of one cookie, and parses quotes differently from servers: in addition to the last
 * value, the whole header is sent, once per message.
 */
export const COOKIE_ARGUMENT = 'cookie';
export const COOKIE_EXPRESSION = 'req.fhdr(cookie)';

/** Whether this subject is read from a cookie of the request. */
export function readsCookie(kind: string, expression: string): boolean {
  return kind.startsWith('cookie.') && /^(req\.)?cook\(/.test(expression);
}

/** The cookie whose value is the subject, so that the agent reads every value itself; undefined if it is derived from one. */
export function cookieOf(kind: string, expression: string): string | undefined {
  return readsCookie(kind, expression) ? /^(?:req\.)?cook\(([^(),]+)\)(?:,url_dec)?$/.exec(expression)?.[1] : undefined;
}
