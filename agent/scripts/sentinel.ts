import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

/** All memory of the process: heap, buffers and Node itself, which takes about 60 of them. */
export const MAX_MEMORY_MB = 256;
const TICK_MS = 50;

if (!isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) watch(workerData.agentPid);

/**
 * Ends this process when it has taken too much memory, or when the agent is gone; from a thread of its own, since a module
 * that loops lets nothing else run. A limit of V8's would not do: with `resourceLimits` on Node 24 a thread that fills
 * arrays either takes the whole process with it or cannot be ended any more.
 */
export function startSentinel(): void {
  const agentPid = process.ppid;
  new Worker(new URL(import.meta.url), { argv: [], workerData: { agentPid }, name: 'sentinel' }).unref();
}

function watch(agentPid: number): void {
  setInterval(() => {
    const isTooMuch = process.memoryUsage.rss() > MAX_MEMORY_MB * 1024 * 1024;
    if (isTooMuch || process.ppid !== agentPid) process.kill(process.pid, 'SIGKILL');
  }, TICK_MS);
}
