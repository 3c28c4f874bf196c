import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from './config-file.ts';

const PAGE = 4096;

/** A pipe that is full from the beginning, and that nobody reads until told to. */
export interface StalledPipe {
  readonly path: string;
  /** What a child writes to. */
  readonly writeEnd: number;
  /** Reads from now on, and resolves with the first line that is like this; all others are in `lines`. */
  lineLike(pattern: RegExp): Promise<string>;
  /** What was read, whole lines alone, without what filled the pipe. */
  readonly lines: readonly string[];
  /** The reader goes away. */
  closeReader(): void;
}

export function stalledPipe(t: TestContext): StalledPipe {
  const path = join(temporaryFolder(t), 'pipe');
  const { status } = spawnSync('mkfifo', [path]);
  if (status !== 0) throw new Error('mkfifo failed');
  let readEnd: number | undefined = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, 'w');
  fill(path);
  const closeReader = () => {
    if (readEnd !== undefined) closeSync(readEnd);
    readEnd = undefined;
  };
  t.after(() => {
    closeReader();
    closeSync(writeEnd);
  });
  const lines: string[] = [];
  const chunk = Buffer.alloc(1024 * PAGE);
  let rest = Buffer.alloc(0);
  const read = () => {
    const count = readEnd === undefined ? 0 : readSome(readEnd, chunk);
    rest = Buffer.concat([rest, chunk.subarray(0, count)]);
    const end = rest.lastIndexOf('\n') + 1;
    lines.push(...rest.subarray(0, end).toString().split('\n').filter((line) => !/^x*$/.test(line))); // biome-ignore format: one chain
    rest = rest.subarray(end);
  };
  return {
    path,
    writeEnd,
    lines,
    closeReader,
    async lineLike(pattern) {
      for (;;) {
        read();
        const found = lines.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await pause(5);
      }
    },
  };
}

function fill(path: string): void {
  const end = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const page = `${'x'.repeat(PAGE - 1)}\n`;
  try {
    for (;;) writeSync(end, page);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  } finally {
    closeSync(end);
  }
}

function readSome(descriptor: number, into: Buffer): number {
  try {
    return readSync(descriptor, into);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return 0;
  }
}
