import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * A descriptor for standard output whose writes do not block, except for files, which always block. A pipe or terminal is
 * reopened if possible, so that the flag does not affect other processes that share it.
 */
export function nonBlockingStdout(): number {
  // Node sets a pipe or socket to non-blocking at the first access, for all processes that share it.
  void process.stderr;
  const { fd } = process.stdout;
  return (isatty(fd) || fstatSync(fd).isFIFO() ? openAnew(fd) : undefined) ?? fd;
}

function openAnew(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, FLAGS);
  } catch {
    return undefined; // another system than Linux, or it belongs to another user
  }
}
