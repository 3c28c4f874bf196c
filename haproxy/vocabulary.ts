/**
 * The names under which a decision reaches HAProxy, as `<scope>.<prefix>.<name>`; nothing else is ever set but the headers
 * that the configuration names (`headerVariable`). Those of a group have its name before them: `<group>.<name>`.
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

/** What can be done to a header, in HAProxy's words: set-header, add-header, del-header. */
export const HEADER_CHANGES = ['set', 'add', 'del'] as const;
export type HeaderChange = (typeof HEADER_CHANGES)[number];

/** The variable that changes a header of the request (`req`) or the response (`res`); names have no dash in HAProxy. */
export function headerVariable(side: 'req' | 'res', change: HeaderChange, header: string): string {
  return `${side}.${change}.${header.toLowerCase().replaceAll('-', '_')}`;
}

/**
 * HAProxy's name for everything an entry can say beside its action, by the name that the entry has for it. `split` is not
 * among them: the agent chooses, and says `backend`.
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
 * HAProxy has no fetch for all values of one cookie, and reads quotes otherwise than servers do: beside the last value the
 * whole header is sent, once a message.
 */
export const COOKIE_ARGUMENT = 'cookie';
export const COOKIE_EXPRESSION = 'req.fhdr(cookie)';

/** Does this subject come from a cookie of the request? */
export function readsCookie(kind: string, expression: string): boolean {
  return kind.startsWith('cookie.') && /^(req\.)?cook\(/.test(expression);
}

/** The cookie that a subject is, of which the agent reads every value itself; undefined where it is made of one. */
export function cookieOf(kind: string, expression: string): string | undefined {
  return readsCookie(kind, expression) ? /^(?:req\.)?cook\(([^(),]+)\)(?:,url_dec)?$/.exec(expression)?.[1] : undefined;
}
