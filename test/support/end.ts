/** Loaded before each test file: what a failed test leaves open would keep its process, and so the whole run. */
import { after } from 'node:test';

const LINGER_MS = 10_000;

after(() => {
  setTimeout(() => process.exit(), LINGER_MS).unref();
});
