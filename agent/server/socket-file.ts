import { execFileSync } from 'node:child_process';
import cluster from 'node:cluster';
import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** Who may use a unix socket: HAProxy's worker needs write permission, and it has only its own user and group. */
export interface SocketAccess {
  readonly path: string;
  readonly mode?: number;
  readonly owner?: string;
  readonly group?: string;
}

/** The configuration gives a socket to somebody to whom this process cannot give it. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

/** Read and write for owner and group. */
const DEFAULT_MODE = 0o660;
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Makes way for a new socket: removes one of ours, or of its `owner`, that nobody listens on. One in use or of somebody
 * else, or another file, as a link, is an error.
 */
export async function clearStaleSocket({ path, owner }: Pick<SocketAccess, 'path' | 'owner'>): Promise<void> {
  // The first process did, and listens there itself by now.
  if (cluster.isWorker) return;
  const folder = dirname(path);
  // Told here: the system call says "permission denied" for a folder that is not there.
  if (!existsSync(folder)) throw new Error(`cannot listen on ${path}: there is no folder ${folder}`);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket: remove it or listen elsewhere`);
  const ours = [process.geteuid?.(), ...(owner === undefined ? [] : [idOf('passwd', owner)])];
  if (!ours.includes(found.uid))
    throw new Error(`${path} is a socket of user ${found.uid}: remove it or listen elsewhere`);
  if (await answers(path)) throw new Error(`${path} is in use by a running process`);
  unlinkSync(path);
}

/** What a process makes under it is for its own user alone. */
const CLOSED_UMASK = 0o177;

/** Runs `listen` so that the socket it makes is closed to everybody until `grantAccess`. */
export function withClosedUmask(listen: () => void): void {
  const before = process.umask(CLOSED_UMASK);
  try {
    listen();
  } finally {
    process.umask(before);
  }
}

/** Gives the socket its owner, group and mode. */
export function grantAccess({ path, mode = DEFAULT_MODE, owner, group }: SocketAccess): void {
  const userId = owner === undefined ? -1 : idOf('passwd', owner);
  const groupId = group === undefined ? -1 : idOf('group', group);
  try {
    chownSync(path, userId, groupId);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error; // of node:fs
    throw new AccessError(refused(path, owner, group), { cause: error });
  }
  chmodSync(path, mode);
}

function refused(path: string, owner: string | undefined, group: string | undefined): string {
  if (owner !== undefined) return `cannot give ${path} to the user ${owner}: only root may, so leave owner out`;
  return `cannot give ${path} to the group ${group}: who runs this is not in it; SupplementaryGroups=${group} in its systemd unit, or haverdict.socket, would be right`;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    // Only a refusal says that nobody listens; a socket we may not even open belongs to somebody.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

/** Node has no call for this; getent asks whatever the host is set up with, not only /etc. */
function idOf(database: 'passwd' | 'group', name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  try {
    const line = execFileSync('getent', [database, '--', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(line.split(':')[2]);
  } catch (error) {
    throw new AccessError(`there is no ${database === 'passwd' ? 'user' : 'group'} "${name}" on this host`, {
      cause: error,
    });
  }
}
