import type { ListenAddress, Settings } from '../../config/settings.ts';
import { hasNativeSpop, keepsHungAgents } from '../versions.ts';
import { AGENTS_BACKEND, IDLE_SECONDS } from './spoe.ts';

/**
 * Quick to notice that the agent is gone or back: until it is DOWN each request waits for `timeout processing`,
 * and once it is, none waits at all (seen on 2.6 and 3.0; on 3.2 and 3.4 none ever waits for an agent that is gone).
 * Gone: at most inter + fastinter; back: at most downinter.
 */
const CHECK = 'check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1';

/** What has connections to an agent that hangs given up. */
const GIVE_UP = 'on-marked-down shutdown-sessions';
const HANGING = ['# an agent that hangs holds a request no longer than the check takes to notice'];

const CHROOT = ['# where global has `chroot DIR`: let the agent listen on DIR/PATH, and set haproxy.chroot to DIR'];

/** The backend section through which HAProxy reaches the agent: one server a listen address. */
export function agentsBackend(settings: Settings): string {
  const { chroot } = settings.haproxy;
  const native = hasNativeSpop(settings.haproxy.version);
  const keepsHung = keepsHungAgents(settings.haproxy.version);
  const check = keepsHung ? `${CHECK} ${GIVE_UP}` : CHECK;
  const lines = [
    `mode ${native ? 'spop' : 'tcp'}`,
    'option spop-check',
    '# a request never waits for a second attempt',
    'retries 0',
    'timeout connect 1s',
    ...(native ? [] : [`# longer than the ${IDLE_SECONDS}s after which idle connections are closed`]),
    `timeout server ${IDLE_SECONDS + 60}s`,
    ...(chroot === undefined && settings.listen.some(({ type }) => type === 'unix') ? CHROOT : []),
    ...(keepsHung ? HANGING : []),
    ...settings.listen.map((address, index) => `server agent${index + 1} ${serverAddress(address, chroot)} ${check}`),
  ];
  return `backend ${AGENTS_BACKEND}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}

/** The address as a `server` line of the same host names it; a socket inside the chroot is named as it is seen there. */
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
