import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect early. By itself it lets a heap grow as long as the machine has memory: a sync of 1,000,000 addresses
 * takes 395 MB then, and 175 MB so, in the same time.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=30');
}
