import { execFileSync } from 'node:child_process';
import cluster from 'node:cluster';
import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { UnixAddress } from './listen-address.ts';
import { ListenError } from './listen-error.ts';

/** The access rights of a unix socket: HAProxy's worker needs write permission for its user or group. */
type SocketAccess = Omit<UnixAddress, 'type'>;

/** This process may not set the configured owner or group of a socket. */
export class AccessError extends ListenError {
  /** The group that this process is not in. */
  readonly foreignGroup: string | undefined;

  constructor(code: 'EPERM' | 'EINVAL', message: string, cause: unknown, foreignGroup?: string) {
    super(code, message, cause);
    this.foreignGroup = foreignGroup;
  }
}

/** Read and write for owner and group. */
const DEFAULT_MODE = 0o660;
const PROBE_TIMEOUT_MS = 1_000;

/**
 * Removes a socket of this user, or of its `owner`, on which no process listens. A socket in use, one of another user, and
 * any other file, such as a link, are errors.
 */
export async function clearStaleSocket({ path, owner }: Pick<SocketAccess, 'path' | 'owner'>): Promise<void> {
  // The primary process has done it, and listens there.
  if (cluster.isWorker) return;
  const folder = dirname(path);
  // The error of the system call would be "permission denied".
  if (!existsSync(folder)) throw new ListenError('ENOENT', `cannot listen on ${path}: folder ${folder} does not exist`);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new ListenError('EEXIST', `${path} exists and is not a socket: remove it or listen elsewhere`);
  const ours = [process.geteuid?.(), ...(owner === undefined ? [] : [idOf('passwd', owner)])];
  if (!ours.includes(found.uid))
    throw new ListenError('EEXIST', `${path} is a socket of user ${found.uid}: remove it or listen elsewhere`);
  if (await answers(path)) throw new ListenError('EADDRINUSE', `${path} is in use by a running process`);
  unlinkSync(path);
}

/** Files that are created under it are for this user alone. */
const CLOSED_UMASK = 0o177;

/** Runs `listen` so that no other user has access to the new socket before `grantAccess`. */
export function withClosedUmask(listen: () => void): void {
  const before = process.umask(CLOSED_UMASK);
  try {
    listen();
  } finally {
    process.umask(before);
  }
}

/** Sets owner, group and mode of the socket. */
export function grantAccess({ path, mode = DEFAULT_MODE, owner, group }: SocketAccess): void {
  const userId = owner === undefined ? -1 : idOf('passwd', owner);
  const groupId = group === undefined ? -1 : idOf('group', group);
  try {
    chownSync(path, userId, groupId);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error; // of node:fs
    if (owner !== undefined)
      throw new AccessError('EPERM', `cannot give ${path} to user ${owner}: only root can; remove "owner"`, error);
    throw new AccessError(
      'EPERM',
      `cannot give ${path} to group ${group}: this process is not in it; set SupplementaryGroups=${group} in its systemd unit`,
      error,
      group,
    );
  }
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
    // Only a refusal shows that no process listens; a socket without access rights may be in use.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

/** The number above it stands for none. */
const MAX_ID = 2 ** 32 - 2;

/** Node has no call for this; getent uses all databases of the host, not only /etc. */
function idOf(database: 'passwd' | 'group', name: string): number {
  if (/^\d+$/.test(name) && Number(name) <= MAX_ID) return Number(name);
  try {
    const line = execFileSync('getent', [database, '--', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(line.split(':')[2]);
  } catch (error) {
    throw new AccessError('EINVAL', `no ${database === 'passwd' ? 'user' : 'group'} "${name}" on this host`, error);
  }
}
