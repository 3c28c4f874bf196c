import type { ListenAddress } from '../../config/listen-address.ts';
import type { Settings } from '../../config/settings.ts';
import { hasNativeSpop, keepsHungAgents } from '../versions.ts';
import { recentTable } from './rules/recent.ts';
import { AGENTS_BACKEND, IDLE_SECONDS } from './spoe.ts';

/**
 * Notices quickly that the agent is gone or back: until the server is DOWN each request waits for `timeout processing`, and
 * afterwards none waits (seen on 2.6 and 3.0; on 3.2 and 3.4 none ever waits for an agent that is gone).
 * Gone: noticed within inter + fastinter; back: within downinter.
 */
const CHECK = 'check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1';

/** Closes the connections to an agent that hangs. */
const SHUTDOWN_SESSIONS = 'on-marked-down shutdown-sessions';
const HANGING = ['# an agent that hangs delays a request only until the check notices'];

const CHROOT = ['# if global has `chroot DIR`: let the agent listen on DIR/PATH, and set haproxy.chroot to DIR'];

/** The backend section through which HAProxy reaches the agent: one server for each listen address. */
export function agentsBackend({
  listen,
  haproxy,
  messages,
}: Pick<Settings, 'listen' | 'haproxy' | 'messages'>): string {
  const { chroot, version } = haproxy;
  const native = hasNativeSpop(version);
  const keepsHung = keepsHungAgents(version);
  const check = keepsHung ? `${CHECK} ${SHUTDOWN_SESSIONS}` : CHECK;
  const lines = [
    `mode ${native ? 'spop' : 'tcp'}`,
    'option spop-check',
    '# a request never waits for a retry',
    'retries 0',
    'timeout connect 1s',
    ...(native ? [] : [`# longer than the ${IDLE_SECONDS}s after which idle connections are closed`]),
    `timeout server ${IDLE_SECONDS + 60}s`,
    ...(chroot === undefined && listen.some(({ type }) => type === 'unix') ? CHROOT : []),
    ...recentTable(haproxy, messages),
    ...(keepsHung ? HANGING : []),
    ...listen.map((address, index) => `server agent${index + 1} ${serverAddress(address, chroot)} ${check}`),
  ];
  return `backend ${AGENTS_BACKEND}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

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
