import { printable } from './printable.ts';

/** The variables that an entry can set beside its action; the generated rules handle these and no others. */
export const PLAIN_VARS = ['location', 'backend', 'split', 'path', 'query', 'body'] as const;
export type PlainVar = (typeof PLAIN_VARS)[number];

/** Request or response, the change, and the header: `req.set.x-plan`, `res.del.server`. */
const HEADER_VAR = /^(req|res)\.(set|add|del)\.([a-z0-9][a-z0-9-]{0,31})$/;

/** Headers that frame a message or a connection, which HAProxy manages itself (RFC 9110 7.6.1 and 10.1.1, RFC 9112 6). */
const FRAMING = [
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

export const MAX_VARS = 16;
/** All names and values of an entry together: from HAProxy 3.1 a larger answer could stop the connection for good. */
export const MAX_VARS_BYTES = 512;
/** What each variable counts beside its name and value: its overhead on the wire. */
export const VAR_BYTES = 8;

/** An absolute URL without a user, or a path on the same host; `//` would be another host. */
const LOCATION = /^(https?:\/\/[\w.\-[\]:]+([/?#][!#$%&'()*+,./:;=?@\w~[\]-]*)?|\/(?!\/)[!#$%&'()*+,./:;=?@\w~[\]-]*)$/;
/** What HAProxy accepts as the name of a section. */
export const BACKEND_NAME = /^[A-Za-z0-9_.:-]{1,64}$/;
/** Many servers read a path that begins with `//` as another host, and one with dots leaves the path that was checked. */
const PATH = /^\/(?!\/)(?!(.*\/)?(\.|%2e){1,2}([/;]|$))[!$%&'()*+,./:;=@\w~-]*$/i;
const QUERY = /^[!$%&'()*+,./:;=?@\w~-]*$/;

/** A percent sign that encodes nothing, or a control character, which would end a line or a text when decoded. */
const BAD_ENCODING = /%(?![0-9a-f]{2})|%[01][0-9a-f]|%7f/i;
/** What every implementation reads alike: other bytes in a header are read in different ways (RFC 9110 5.5). */
const HEADER_VALUE = /^([!-~]([ -~]*[!-~])?)?$/;

export type Vars = Readonly<Record<string, string>>;

/** One backend of a `split`, with its weight. */
export interface Way {
  readonly backend: string;
  /** The share of all clients; a whole number, so that sums are exact. */
  readonly hundredthsOfPercent: number;
}
/** All clients. */
export const HUNDREDTHS_OF_PERCENT = 10_000;

/** The header that a variable changes; undefined for other variables. */
export function headerOf(
  name: string,
): { readonly side: string; readonly how: string; readonly header: string } | undefined {
  const [, side, how, header] = HEADER_VAR.exec(name) ?? [];
  return side === undefined || how === undefined || header === undefined ? undefined : { side, how, header };
}

/** Why this variable is invalid, in words that follow its name; undefined if it is valid. */
export function varProblem(name: string, value: string): string | undefined {
  const header = headerOf(name);
  if (header !== undefined) return headerProblem(header.header, value);
  if (!isPlainVar(name))
    return `is none of ${PLAIN_VARS.join(', ')}, req.set.NAME, req.add.NAME, req.del.NAME and res.… likewise, with NAME in lower case`;
  if (!isOneLine(value)) return 'must be one line of printable characters';
  return FORMS[name](value);
}

function headerProblem(header: string, value: string): string | undefined {
  if (FRAMING.includes(header)) return 'is a header that HAProxy manages itself';
  return HEADER_VALUE.test(value) ? undefined : 'must be one line of ASCII without blanks around it';
}

const FORMS: Readonly<Record<PlainVar, (value: string) => string | undefined>> = {
  location: (value) =>
    LOCATION.test(value) && !BAD_ENCODING.test(value) && (value.startsWith('/') || URL.canParse(value))
      ? undefined
      : 'must be an http or https URL, or a path that begins with one /',
  backend: (value) => (BACKEND_NAME.test(value) ? undefined : 'must be the name of a HAProxy backend'),
  split: (value) =>
    parseSplit(value) === undefined
      ? 'must be BACKEND=PERCENT, separated by commas, each backend once, of at most 100 percent in all'
      : undefined,
  path: (value) =>
    PATH.test(value) && !BAD_ENCODING.test(value)
      ? undefined
      : 'must be a path: one /, then what needs no encoding, without ? and # and without . and .. between slashes',
  query: (value) =>
    QUERY.test(value) && !BAD_ENCODING.test(value)
      ? undefined
      : 'must be a query without the ? before it and without #',
  body: () => undefined,
};

export function isPlainVar(name: string): name is PlainVar {
  return (PLAIN_VARS as readonly string[]).includes(name);
}

/** Parses `blue=90,green=10`; clients beyond the sum are not routed. */
export function parseSplit(text: string): readonly Way[] | undefined {
  const ways = text.split(',').map((part): Way | undefined => {
    const [, backend = '', percent = '', hundredths = ''] = /^([^=]*)=(\d{1,3})(?:\.(\d{1,2}))?$/.exec(part) ?? [];
    if (!BACKEND_NAME.test(backend)) return undefined;
    return { backend, hundredthsOfPercent: Number(percent) * 100 + Number(hundredths.padEnd(2, '0')) };
  });
  const good = ways.filter((way) => way !== undefined);
  const sum = good.reduce((total, way) => total + way.hundredthsOfPercent, 0);
  const isEachOnce = new Set(good.map(({ backend }) => backend)).size === ways.length;
  return isEachOnce && sum <= HUNDREDTHS_OF_PERCENT ? good : undefined;
}

/** Why these variables are invalid, beginning with the name of the first that is; undefined if all are valid. */
export function varsProblem(vars: Vars): string | undefined {
  const all = Object.entries(vars);
  if (all.length > MAX_VARS) return `vars has ${all.length} of them, the limit is ${MAX_VARS}`;
  const bytes = all.reduce((sum, [name, value]) => sum + VAR_BYTES + Buffer.byteLength(name + value), 0);
  if (bytes > MAX_VARS_BYTES)
    return `vars has ${bytes} bytes with ${VAR_BYTES} more for each of them, the limit is ${MAX_VARS_BYTES}`;
  for (const [name, value] of all) {
    const problem = varProblem(name, value);
    if (problem !== undefined) return `vars.${printable(name, 60)} ${problem}`;
  }
  return undefined;
}

function isOneLine(value: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value);
}
