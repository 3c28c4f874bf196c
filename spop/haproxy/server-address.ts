import type { ListenAddress } from '../server/listen-address.ts';

/** HAProxy leaves room for a suffix in the 107 bytes that the path of a socket can have, also where it makes none. */
export const MAX_SERVER_PATH_BYTES = 97;

/** The address on a `server` line of the same host; the path of a socket inside the chroot is relative to that. */
export function serverAddress(address: ListenAddress, chroot = ''): string {
  if (address.type === 'unix')
    return `unix@${address.path.startsWith(`${chroot}/`) ? address.path.slice(chroot.length) : address.path}`;
  const host = reachable(address.host);
  return `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

/** HAProxy runs on the agent's host, so "every address" is reached at the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return /^[0:]+$/.test(host) ? '::1' : host;
}
