import { constants, fstatSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * A descriptor for standard output whose writes do not block, unless it is a file, which no flag changes. A pipe or
 * terminal is opened anew where that is possible: whether it blocks is then nobody else's matter.
 */
export function nonBlockingStdout(): number {
  unblockStandardStreams();
  const { fd } = process.stdout;
  return (isatty(fd) || fstatSync(fd).isFIFO() ? openAnew(fd) : undefined) ?? fd;
}

/**
 * Makes standard output and standard error not block where they are a pipe or socket. Node does so once, and
 * undoes it for all who share them when a child that inherits them starts or ends: to be called after either.
 */
export function unblockStandardStreams(): void {
  for (const stream of [process.stdout, process.stderr])
    (stream as { _handle?: { setBlocking?(isBlocking: boolean): void } })._handle?.setBlocking?.(false);
}

function openAnew(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, FLAGS);
  } catch {
    return undefined; // another system than Linux, or it belongs to another user
  }
}
