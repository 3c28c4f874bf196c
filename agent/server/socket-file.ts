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
  if (!found.isSocket()) throw new Error(`${path} exists and is no socket: remove it or listen elsewhere`);
  const ours = [process.geteuid?.(), ...(owner === undefined ? [] : [idOf('passwd', owner)])];
  if (!ours.includes(found.uid))
    throw new Error(`${path} is a socket of user ${found.uid}: remove it or listen elsewhere`);
  if (await answers(path)) throw new Error(`${path} is in use by a running process`);
  unlinkSync(path);
}

/** What a process makes under it is for its own user alone. */
const CLOSED_UMASK = 0o177;

/**
 * Closes the umask of this process, which from now on binds for workers whenever they ask. What it returns runs a fork
 * with the umask as it was.
 */
export function bindForWorkers(): <T>(fork: () => T) => T {
  const before = process.umask(CLOSED_UMASK);
  return (fork) => {
    process.umask(before);
    try {
      return fork();
    } finally {
      process.umask(CLOSED_UMASK);
    }
  };
}

/** Runs `listen` so that the socket it makes is closed to everybody until `grantAccess`; of a worker the first process binds. */
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
  chownSync(path, userId, groupId);
  chmodSync(path, mode);
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
    throw new Error(`there is no ${database === 'passwd' ? 'user' : 'group'} "${name}" on this host`, { cause: error });
  }
}
