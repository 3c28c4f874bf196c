import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { MAX_MEMORY_MB } from '../ipc.ts';

const TICK_MS = 50;

if (!isMainThread && process.argv[1] === fileURLToPath(import.meta.url)) watch(workerData.agentPid);

/**
 * Kills this process when it uses too much memory, or when the agent is gone. It runs in a thread of its own, because a
 * script in an endless loop blocks the main thread. V8's `resourceLimits` are no substitute: on Node 24 a thread that fills
 * arrays either takes the whole process down or can no longer be terminated.
 */
export function startMemoryGuard(): void {
  const agentPid = process.ppid;
  new Worker(new URL(import.meta.url), { argv: [], workerData: { agentPid }, name: 'memory-guard' }).unref();
}

function watch(agentPid: number): void {
  setInterval(() => {
    const isTooMuch = process.memoryUsage.rss() > MAX_MEMORY_MB * 1024 * 1024;
    if (isTooMuch || process.ppid !== agentPid) process.kill(process.pid, 'SIGKILL');
  }, TICK_MS);
}
