/** Loaded before each test file. */
import { after } from 'node:test';

// What a failed test leaves open would keep its process, and so the whole run.
const LINGER_MS = 10_000;

after(() => {
  setTimeout(() => process.exit(), LINGER_MS).unref();
});

// An `import` of Node's http reads these, and so loads all of Node's fetch: 40 ms of CPU for each of the many processes.
const http = process.getBuiltinModule('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent'])
  Object.defineProperty(http, name, { value: undefined, configurable: true });
