import type { ListenAddress } from '../server/listen-address.ts';
import { serverAddress } from './server-address.ts';
import { IDLE_SECONDS } from './spoe-sections.ts';

/**
 * Notices quickly that the agent is gone or back: until the server is DOWN each request waits for `timeout processing`, and
 * afterwards none waits (seen on 2.6 and 3.0; on 3.2 and 3.4 none ever waits for an agent that is gone).
 * Gone: noticed within inter + fastinter; back: within downinter.
 */
const CHECK = 'check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1';

/** Closes the connections to an agent that hangs. */
const SHUTDOWN_SESSIONS = 'on-marked-down shutdown-sessions';
const HANGING = ['# an agent that hangs delays a request only until the check notices'];

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

/** The backend section through which HAProxy reaches agents. */
export interface AgentsSection {
  readonly name: string;
  /** One server for each. */
  readonly addresses: readonly ListenAddress[];
  /** The folder in which HAProxy finds the paths of sockets. */
  readonly chroot: string | undefined;
  /** Whether only HAProxy 3.1 and later read it. */
  readonly isNative: boolean;
  /** Whether the HAProxy goes on using connections to an agent that hangs. */
  readonly keepsHung: boolean;
  /** What else is in it. */
  readonly more?: readonly string[];
}

/** It has a `defaults` section of its own, so that nothing of the operator's applies to it. */
export function agentsSection({ name, addresses, chroot, isNative, keepsHung, more = [] }: AgentsSection): string {
  const check = keepsHung ? `${CHECK} ${SHUTDOWN_SESSIONS}` : CHECK;
  // HAProxy 3.3 and later refuse a `defaults` section with the name of a proxy.
  const defaults = `${name}-defaults`;
  const lines = [
    `mode ${isNative ? 'spop' : 'tcp'}`,
    'option spop-check',
    ...(addresses.length === 1 ? NO_RETRY : RETRY_ELSEWHERE),
    'timeout connect 1s',
    ...(isNative ? [] : [`# longer than the ${IDLE_SECONDS}s after which idle connections are closed`]),
    `timeout server ${IDLE_SECONDS + 60}s`,
    ...more,
    ...(keepsHung ? HANGING : []),
    ...addresses.map((address, index) => `server agent${index + 1} ${serverAddress(address, chroot)} ${check}`),
  ];
  return `${section(`defaults ${defaults}`, ['# nothing of other defaults sections applies to the agents', 'log global'])}
${section(`backend ${name} from ${defaults}`, lines)}`;
}

function section(heading: string, lines: readonly string[]): string {
  return `${heading}\n${lines.map((line) => `    ${line}\n`).join('')}`;
}
