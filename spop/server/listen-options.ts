import type { ListenAddress } from './listen-address.ts';

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
  | { readonly port: number; readonly host?: string }
  | {
      readonly path: string;
      /** The permissions of the socket: read and write for owner and group if they are absent. */
      readonly mode?: number;
      /** A user's name or number. */
      readonly owner?: string;
      /** The name or number of a group, as that of HAProxy. */
      readonly group?: string;
    };

/** Programs without types call this, too. */
export function toAddress(where: ListenOptions): ListenAddress {
  if (typeof where !== 'object' || where === null || !('path' in where || 'port' in where))
    throw new TypeError(`listen: ${JSON.stringify(where)} must be { port: 9000 } or { path: '/run/agent.sock' }`);
  if ('path' in where) {
    if (typeof where.path === 'string' && where.path.startsWith('/')) return { type: 'unix', ...where };
    throw new TypeError(`listen: path is ${JSON.stringify(where.path)}: must be an absolute path`);
  }
  if (Number.isInteger(where.port) && where.port >= 0 && where.port <= 65_535)
    return { type: 'tcp', host: '127.0.0.1', ...where };
  throw new TypeError(`listen: port is ${where.port}: must be a whole number from 0 to 65535`);
}
