/** What an entry can tell HAProxy beside its action; the wiring has rules for these and no others. */
export const PLAIN_VARS = ['location', 'backend', 'split', 'path', 'query', 'body'] as const;

/** Who is changed, how, and which header: `req.set.x-plan`, `res.del.server`. */
const HEADER_VAR = /^(req|res)\.(set|add|del)\.([a-z0-9][a-z0-9-]{0,31})$/;

/** What frames a message or a connection is HAProxy's own business (RFC 9110 7.6.1, RFC 9112 6). */
const FRAMING = [
  'connection',
  'content-length',
  'host',
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

/** An absolute URL, or a path on the same host; `//` would be another host. Nothing that needs quoting anywhere. */
const LOCATION =
  /^(https?:\/\/[\w.\-[\]:]+([/?#][!#$%&'()*+,./:;=?@\w~[\]-]*)?|\/(?![/\\])[!#$%&'()*+,./:;=?@\w~[\]-]*)$/;
/** What HAProxy takes as the name of a section. */
export const BACKEND_NAME = /^[A-Za-z0-9_.:-]{1,64}$/;
const PATH = /^\/[!$%&'()*+,./:;=@\w~-]*$/;
const QUERY = /^[!$%&'()*+,./:;=?@\w~-]*$/;

export type Vars = Readonly<Record<string, string>>;

/** One way of a weighted choice, in hundredths of all clients. */
export interface Way {
  readonly backend: string;
  readonly percent: number;
}

/** The header that a variable changes, or undefined if it is none of those. */
export function headerOf(
  name: string,
): { readonly side: string; readonly how: string; readonly header: string } | undefined {
  const [, side, how, header] = HEADER_VAR.exec(name) ?? [];
  return side === undefined || how === undefined || header === undefined ? undefined : { side, how, header };
}

/** Why HAProxy could not be told this variable, in words that follow its name; undefined if it can. */
export function varProblem(name: string, value: string): string | undefined {
  const header = headerOf(name);
  if (header !== undefined) {
    if (FRAMING.includes(header.header)) return 'is a header that HAProxy itself takes care of';
  } else if (!(PLAIN_VARS as readonly string[]).includes(name))
    return `is none of ${PLAIN_VARS.join(', ')}, req.set.NAME, req.add.NAME, req.del.NAME and res.… likewise`;
  if (!isOneLine(value)) return 'must be one line of printable characters';
  if (name === 'location' && !LOCATION.test(value))
    return 'must be an http or https URL, or a path that begins with one /';
  if (name === 'backend' && !BACKEND_NAME.test(value)) return 'must be the name of a HAProxy backend';
  if (name === 'path' && !PATH.test(value)) return 'must be a path: / and what needs no encoding, without ? and #';
  if (name === 'query' && !QUERY.test(value)) return 'must be a query without the ? before it and without #';
  if (name === 'split' && parseSplit(value) === undefined)
    return 'must be BACKEND=PERCENT, separated by commas, of at most 100 percent in all';
  return undefined;
}

/** The ways of `blue=90,green=10`; who is beyond their sum is not routed. */
export function parseSplit(text: string): readonly Way[] | undefined {
  const ways = text.split(',').map((part): Way => {
    const [, backend = '', percent] = /^([^=]*)=(\d{1,3}(?:\.\d{1,2})?)$/.exec(part) ?? [];
    return { backend, percent: Number(percent) };
  });
  const sum = ways.reduce((total, { percent }) => total + percent, 0);
  return ways.every(({ backend }) => BACKEND_NAME.test(backend)) && sum <= 100 ? ways : undefined;
}

/** Why these variables cannot be told, beginning with the name of the first that cannot; undefined if they can. */
export function varsProblem(vars: Vars): string | undefined {
  const all = Object.entries(vars);
  if (all.length > MAX_VARS) return `vars has ${all.length} of them, the limit is ${MAX_VARS}`;
  const bytes = all.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > MAX_VARS_BYTES) return `vars has ${bytes} bytes, the limit is ${MAX_VARS_BYTES}`;
  for (const [name, value] of all) {
    const problem = varProblem(name, value);
    if (problem !== undefined) return `vars.${shown(name)} ${problem}`;
  }
  return undefined;
}

function isOneLine(value: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value);
}

function shown(name: string): string {
  const printable = JSON.stringify(name).slice(1, -1);
  return printable.length > 60 ? `${printable.slice(0, 57)}...` : printable;
}
