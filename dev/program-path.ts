import { join } from 'node:path';

/** What is started as `haverdict` in a process of its own: the source, or what a run of the tests has bundled of it. */
export const PROGRAM = process.env.TEST_PROGRAM ?? join(import.meta.dirname, '..', 'cli', 'main.ts');
