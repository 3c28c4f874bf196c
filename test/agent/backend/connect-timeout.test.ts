import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openBackend } from '../../../agent/backend/backend.ts';
import { systemClock } from '../../../agent/decision/clock.ts';

const SUBJECT = 'ip:198.51.100.1';
/** Half of it is the time limit of a connection; undici's timers are exact up to a second. */
const TIMEOUT_MS = 1600;

describe('a function of several to which there is no connection to be had', () => {
  it('leaves half of backend.timeoutMs to the next one', async (t) => {
    const unconnectable = await fullListener(t);
    const well = createServer((_request, response) =>
      response.end(JSON.stringify({ verdicts: [{ subject: SUBJECT, entry: null }], ttl: 60 })),
    ).listen(0, '127.0.0.1');
    t.after(() => well.close());
    await once(well, 'listening');
    const urls = [unconnectable, (well.address() as AddressInfo).port].map((port) => `http://127.0.0.1:${port}`);
    const settings = { targets: urls.map((url) => ({ url })), timeoutMs: TIMEOUT_MS, maxConcurrent: 4 };
    const lists = { lists: ['manual'], shadowLists: [], listActions: {} };
    const log = { info() {}, warn: (_: object, message: string) => lines.push(message), error() {} };
    const lines: string[] = [];
    const backend = await openBackend(settings, lists, log, systemClock, {
      gotCredentials() {},
      notCounted() {},
      called() {},
      callFailed() {},
    });
    t.after(() => backend.close());
    assert.deepEqual((await backend.check([SUBJECT])).lookups, [{ entry: null }]);
    assert.deepEqual(lines, ['backend is down: failing over to the next one']);
  });
});

/** A port whose listener accepts nothing and whose backlog is full, so that the kernel drops what comes. */
async function fullListener(t: TestContext): Promise<number> {
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(workerData), 0, 0);
     });`,
    { eval: true, workerData: new SharedArrayBuffer(4) },
  );
  t.after(() => worker.terminate());
  const [port] = await once(worker, 'message');
  // A backlog of one takes two.
  for (let waiting = 0; waiting < 2; waiting++) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => {}); // it ends with the worker
  }
  return port;
}
