import { checkObject, checkOptions, checkText, checkWhole, wrong } from '../options.ts';
import { type ListenAddress, MAX_UNIX_PATH_BYTES } from './listen-address.ts';

/**
 * Where an agent listens: a TCP port, of 127.0.0.1 if no host is given, or a unix socket with its access rights.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import type { ListenOptions } from 'haverdict-spop';
 *
 * const everywhere: ListenOptions = { port: 9000, host: '0.0.0.0' };
 * const socket: ListenOptions = { path: '/run/guard/agent.sock', mode: 0o660, group: 'haproxy' };
 * assert.notDeepEqual(everywhere, socket);
 * ```
 */
export type ListenOptions =
  | { readonly port: number; readonly host?: string; readonly path?: never }
  | {
      readonly path: string;
      readonly port?: never;
      /** The permissions of the socket: read and write for owner and group if they are absent. */
      readonly mode?: number;
      /** A user's name or number. */
      readonly owner?: string;
      /** The name or number of a group, as that of HAProxy. */
      readonly group?: string;
    };

const TCP_OPTIONS = ['port', 'host'];
const UNIX_OPTIONS = ['path', 'mode', 'owner', 'group'];
const MAX_PORT = 65_535;
/** Every access right that there is; the usual ones written in decimal, as 660, are above it. */
const MAX_MODE = 0o777;
const encoder = new TextEncoder();

/** Throws a `TypeError` for what is no address; `where` is what was called. An option that is undefined is absent. */
export function toAddress(where: string, given: ListenOptions): ListenAddress {
  checkObject(where, given, "{ port: 9000 } or { path: '/run/agent.sock' }");
  const isTcp = 'port' in given && given.port !== undefined;
  if (isTcp === ('path' in given && given.path !== undefined))
    throw new TypeError(`${where}: must have either port or path: { port: 9000 } or { path: '/run/agent.sock' }`);
  checkOptions(where, defined(given), isTcp ? TCP_OPTIONS : UNIX_OPTIONS);
  return 'port' in given && isTcp ? tcpAddress(where, given) : unixAddress(where, given as UnixOptions);
}

type UnixOptions = Extract<ListenOptions, { readonly path: string }>;

function tcpAddress(where: string, { port, host = '127.0.0.1' }: Exclude<ListenOptions, UnixOptions>): ListenAddress {
  checkWhole(`${where}: port`, port, 0, MAX_PORT);
  checkText(`${where}: host`, host, /^[^\0\s]+$/, "a name or an address: '127.0.0.1', or '0.0.0.0' for every address");
  return { type: 'tcp', host, port };
}

function unixAddress(where: string, { path, mode, owner, group }: UnixOptions): ListenAddress {
  checkText(`${where}: path`, path, /^\/[^\0]+$/, 'an absolute path');
  const bytes = encoder.encode(path).length;
  if (bytes > MAX_UNIX_PATH_BYTES)
    throw new TypeError(`${where}: path has ${bytes} bytes: the path of a socket has at most ${MAX_UNIX_PATH_BYTES}`);
  if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= MAX_MODE))
    throw wrong(`${where}: mode`, mode, 'from 0o000 to 0o777, as 0o660');
  for (const [option, name] of Object.entries({ owner, group }))
    if (name !== undefined) checkText(`${where}: ${option}`, name, /^[^\0\s]+$/, "a name, or a number as '1000'");
  return { type: 'unix', path, ...defined({ mode, owner, group }) };
}

/** Without what is undefined. */
function defined<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<Options>;
}
