import { join } from 'node:path';

/** The file to run as `haverdict` in a separate process: the source, or the bundle that the test runner built. */
export const PROGRAM = process.env.TEST_PROGRAM ?? join(import.meta.dirname, '..', 'cli', 'main.ts');
