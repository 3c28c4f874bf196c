import { readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import type { ListenAddress } from '../../config/listen-address.ts';

/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const FIRST_FD = 3;
const MAX_FDS = 64;
/** `st` of a listening socket in /proc/net/tcp. */
const LISTENING = '0A';

/**
 * The sockets that systemd opened for this process, by address, so that a socket unit and the configuration need to agree
 * on addresses only. Read from /proc: Node does not know the path of a unix socket that it did not bind.
 */
export class SystemdSockets {
  readonly #fds: ReadonlyMap<string, number>;
  readonly #taken = new Set<string>();

  /** The variables apply only to process `pid`: this one, or the first process if this one is its worker. */
  constructor(env: NodeJS.ProcessEnv, pid: number) {
    const count = Number(env.LISTEN_PID) === pid ? Math.min(Number(env.LISTEN_FDS), MAX_FDS) : 0;
    this.#fds = count > 0 ? fdsByAddress(pid, count) : new Map();
  }

  /** The descriptor that listens on an address already, for `server.listen({ fd })`. */
  take(address: ListenAddress): number | undefined {
    const name = nameOf(address);
    this.#taken.add(name);
    return this.#fds.get(name);
  }

  /** The addresses of sockets that were not taken: connections to them hang. */
  get unused(): string[] {
    return [...this.#fds.keys()].filter((name) => !this.#taken.has(name));
  }
}

function fdsByAddress(pid: number, count: number): Map<string, number> {
  const names = new Map([...unixSockets(pid), ...tcpSockets(pid, 'tcp'), ...tcpSockets(pid, 'tcp6')]);
  const fds = new Map<string, number>();
  for (let fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
    const [, inode = ''] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`)) ?? [];
    fds.set(names.get(inode) ?? `descriptor ${fd}`, fd);
  }
  return fds;
}

/** Inode and name of each unix socket: `Num RefCount Protocol Flags Type St Inode Path`. */
function* unixSockets(pid: number): Iterable<[string, string]> {
  for (const line of linesOf(`/proc/${pid}/net/unix`)) {
    const [, inode, path] = /^(?:\S+\s+){6}(\d+) (.+)$/.exec(line) ?? [];
    if (inode !== undefined && path !== undefined) yield [inode, nameOf({ type: 'unix', path })];
  }
}

/** Inode and name of each listening TCP socket: `sl local_address rem_address st … inode`. */
function* tcpSockets(pid: number, family: 'tcp' | 'tcp6'): Iterable<[string, string]> {
  for (const line of linesOf(`/proc/${pid}/net/${family}`)) {
    const fields = line.trim().split(/\s+/);
    const [host = '', port = ''] = fields[1]?.split(':') ?? [];
    if (fields[3] !== LISTENING || fields[9] === undefined) continue;
    yield [fields[9], nameOf({ type: 'tcp', host: hostOf(host), port: Number.parseInt(port, 16) })];
  }
}

/** The host of an address, which the kernel prints as 32-bit numbers in the byte order of the machine. */
function hostOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':');
}

/** An address in canonical form, IPv6 as in RFC 5952. */
function nameOf(address: ListenAddress): string {
  if (address.type === 'unix') return `unix:${address.path}`;
  const { host, port } = address;
  return `tcp://${host.includes(':') ? new URL(`http://[${host}]`).hostname : host}:${port}`;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return []; // IPv6 may be off; a descriptor without a known address counts as unused
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
