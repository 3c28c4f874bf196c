// Measures how evenly a few long connections are distributed over workers: by node:cluster's round robin, as in the agent,
// and by the kernel if each worker listens itself (SO_REUSEPORT). The result is the share of the busiest worker.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { freePort } from '../dev/free-port.ts';

const TRIALS = 200;
const ROUND_ROBIN = 'round robin';
const REUSE_PORT = 'SO_REUSEPORT';

export interface Spread {
  readonly by: string;
  readonly workers: number;
  readonly connections: number;
  /** The busiest worker's share of the connections, the mean of the trials; 1 / workers is even. */
  readonly busiest: number;
  /** The share of trials in which a worker had no connection. */
  readonly idle: number;
}

export async function measureSpread(): Promise<Spread[]> {
  const found: Spread[] = [];
  cluster.setupPrimary({ exec: import.meta.filename });
  for (const by of [ROUND_ROBIN, REUSE_PORT])
    for (const workers of [2, 4]) {
      const port = await freePort();
      const forked = Array.from({ length: workers }, () => cluster.fork({ BY: by, PORT: String(port) }));
      await Promise.all(forked.map((worker) => once(worker, 'message')));
      for (const connections of [4, 16])
        found.push({ by, workers, connections, ...(await meanOf(port, workers, connections)) });
      const exits = forked.map((worker) => once(worker, 'exit'));
      for (const worker of forked) worker.process.kill();
      await Promise.all(exits);
    }
  return found;
}

async function meanOf(port: number, workers: number, connections: number) {
  let busiest = 0;
  let idle = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
    const counts = [...Map.groupBy(sockets, ({ worker }) => worker).values()].map(({ length }) => length);
    busiest += Math.max(...counts) / connections / TRIALS;
    if (counts.length < workers) idle++;
    for (const { socket } of sockets) socket.resetAndDestroy();
  }
  return { busiest: Number(busiest.toFixed(2)), idle: Number((idle / TRIALS).toFixed(2)) };
}

/** A connection, and the process that accepted it. */
async function open(port: number): Promise<{ socket: Socket; worker: string }> {
  const socket = connect(port, '127.0.0.1');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return { socket, worker: bytes.toString() };
}

if (cluster.isWorker) {
  const server = createServer((socket) => socket.on('error', () => {}).write(String(process.pid)));
  server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', reusePort: process.env.BY === REUSE_PORT });
  server.on('listening', () => process.send?.('listening'));
}
