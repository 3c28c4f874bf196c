import { closeSync, constants, fstatSync, openSync } from 'node:fs';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Neither follows a link nor waits for a pipe, which others with write access to the folder could put there. */
const READ_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Opens a file that this user wrote, to read it; a checksum does not authenticate, so its owner and permissions must.
 * Undefined if there is none.
 */
export function openTrusted(path: string): { readonly file: number } | { readonly problem: string } | undefined {
  let file: number;
  try {
    file = openSync(path, READ_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // the only errors of openSync
    if (code === 'ENOENT') return undefined;
    return { problem: code === 'ELOOP' ? 'is a symbolic link' : `cannot be read (${code})` };
  }
  const problem = accessProblem(file);
  if (problem === undefined) return { file };
  closeSync(file);
  return { problem };
}

function accessProblem(file: number): string | undefined {
  const found = fstatSync(file);
  if (!found.isFile()) return 'is not a regular file';
  if (found.uid !== ROOT && found.uid !== process.geteuid?.()) return `belongs to user ${found.uid}`;
  return (found.mode & WRITABLE_BY_OTHERS) === 0 ? undefined : 'is writable by users other than its owner';
}
