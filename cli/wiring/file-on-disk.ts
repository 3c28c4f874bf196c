import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { CliError, EXIT } from '../exit/cli-error.ts';

/** A file as it was read; what a link leads to is what is replaced. */
export interface FileOnDisk {
  /** As it was named. */
  readonly path: string;
  readonly realPath: string;
  readonly bytes: Buffer;
  /** Of which each byte of the file comes back as it was. */
  readonly encoding: 'utf8' | 'latin1';
  readonly stats: Stats;
}

export function readOnDisk(path: string, remedy?: string): FileOnDisk {
  try {
    const realPath = realpathSync(path);
    const stats = statSync(realPath);
    if (!stats.isFile()) throw new Error('it is not a file');
    const bytes = readFileSync(realPath);
    const encoding = Buffer.from(bytes.toString('utf8')).equals(bytes) ? 'utf8' : 'latin1';
    return { path, realPath, bytes, encoding, stats };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'; // of node:fs
    const why = isMissing && remedy !== undefined ? remedy : String(error);
    throw new CliError(EXIT.failed, `${path} cannot be read: ${why}`, { cause: error });
  }
}

/** A new file beside this one, with its mode and owner; returns its path. It follows no link. */
export function writeBeside({ realPath, encoding, stats }: FileOnDisk, text: string): string {
  const path = `${realPath}.${process.pid}.tmp`;
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, text, encoding);
    if (isOfOthers(stats)) fchownSync(file, stats.uid, stats.gid);
    fchmodSync(file, stats.mode & 0o7777);
    fsyncSync(file);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return path;
}

/** Copies the file beside itself under a name that HAProxy does not read in a folder; returns the path of the copy. */
export function backUp({ realPath, stats }: FileOnDisk, now: Date): string {
  const path = `${realPath}.${now.toISOString().replace(/[-:.]/g, '')}.bak`;
  copyFileSync(realPath, path, constants.COPYFILE_EXCL);
  if (isOfOthers(stats)) chownSync(path, stats.uid, stats.gid);
  chmodSync(path, stats.mode & 0o7777);
  return path;
}

/** Whether a file that this process creates has another owner or group. */
function isOfOthers({ uid, gid }: Stats): boolean {
  return uid !== process.getuid?.() || gid !== process.getgid?.();
}

/** Puts the new file in the place of the old one, unless somebody has changed that since it was read. */
export function takeOver(
  { path, realPath, bytes }: Pick<FileOnDisk, 'path' | 'realPath' | 'bytes'>,
  temporary: string,
): void {
  if (!readFileSync(realPath).equals(bytes)) throw new Error(`${path} was changed meanwhile`);
  renameSync(temporary, realPath);
}
