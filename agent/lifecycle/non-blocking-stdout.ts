import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * A descriptor for standard output whose writes do not block, unless it is a file, which no flag changes. A pipe or
 * terminal is opened anew where that is possible: whether it blocks is then nobody else's matter.
 */
export function nonBlockingStdout(): number {
  // Node makes a pipe or socket not block when it is first looked at, for all who share it.
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
