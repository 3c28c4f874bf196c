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

/**
 * On 3.1 and later a retry on the same server waits a second, which is longer than `timeout processing`; on another server it
 * does not wait.
 */
const NO_RETRY = ['# a request never waits for a retry', 'retries 0'];
const RETRY_ELSEWHERE = [
  '# an agent that is slow gets fewer requests; one that cannot be connected to is left for another at once',
  'balance leastconn',
  'retries 1',
  'option redispatch 1',
];

/** HAProxy 3.3 and later refuse a `defaults` section with the name of a proxy. */
const AGENTS_DEFAULTS = `${AGENTS_BACKEND}-defaults`;

/**
 * The backend section through which HAProxy reaches the agents: one server for each address. It has a `defaults` section of
 * its own, so that nothing of the operator's applies to it.
 */
export function agentsBackend(settings: Pick<Settings, 'listen' | 'haproxy' | 'messages'>): string {
  const { chroot, version } = settings.haproxy;
  const addresses = agentAddresses(settings);
  const native = hasNativeSpop(version);
  const keepsHung = keepsHungAgents(version);
  const check = keepsHung ? `${CHECK} ${SHUTDOWN_SESSIONS}` : CHECK;
  const lines = [
    `mode ${native ? 'spop' : 'tcp'}`,
    'option spop-check',
    ...(addresses.length === 1 ? NO_RETRY : RETRY_ELSEWHERE),
    'timeout connect 1s',
    ...(native ? [] : [`# longer than the ${IDLE_SECONDS}s after which idle connections are closed`]),
    `timeout server ${IDLE_SECONDS + 60}s`,
    ...(chroot === undefined && addresses.some(({ type }) => type === 'unix') ? CHROOT : []),
    ...recentTable(settings.haproxy, settings.messages),
    ...(keepsHung ? HANGING : []),
    ...addresses.map((address, index) => `server agent${index + 1} ${serverAddress(address, chroot)} ${check}`),
  ];
  return `${section(`defaults ${AGENTS_DEFAULTS}`, ['# nothing of other defaults sections applies to the agents', 'log global'])}
${section(`backend ${AGENTS_BACKEND} from ${AGENTS_DEFAULTS}`, lines)}`;
}

/** Where HAProxy reaches the agents; without the setting, this agent alone. */
export function agentAddresses({ listen, haproxy }: Pick<Settings, 'listen' | 'haproxy'>): readonly ListenAddress[] {
  return haproxy.servers.length === 0 ? listen : haproxy.servers;
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

function section(heading: string, lines: readonly string[]): string {
  return `${heading}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}
