import cluster, { type Worker } from 'node:cluster';

/** A worker that dies is replaced, but not in a tight loop: one that cannot start would take the host's CPU. */
const RESTART_DELAY_MS = 1_000;

interface Log {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Is this process one of several that share the listeners? */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/**
 * Runs so many copies of this process. The first one accepts connections and hands them out in turn: HAProxy keeps few
 * and long ones, so that a kernel's choice by chance would leave a copy idle (docs/decisions/0003-workers.md).
 */
export class Workers {
  readonly #log: Log;
  #stopping = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Resolves when all of them listen; rejects if one ends before. */
  async start(count: number): Promise<void> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    await Promise.all(Array.from({ length: count }, () => listening(cluster.fork())));
    cluster.on('exit', (worker, code, signal) => this.#replace(worker, code, signal));
  }

  /** Tells all to reload. Each says in the log what came of it. */
  async reload(): Promise<void> {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGHUP');
  }

  /** Tells all to drain, and resolves when the last is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => stopped(worker as Worker))); // none is undefined
  }

  #replace(worker: Worker, code: number, signal: string): void {
    if (this.#stopping) return;
    this.#log.error({ pid: worker.process.pid, code, signal }, 'a worker ended and is replaced');
    setTimeout(() => {
      if (!this.#stopping) cluster.fork();
    }, RESTART_DELAY_MS);
  }
}

function listening(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('exit', (code) => reject(new Error(`a worker ended with ${code} before it listened`)));
  });
}

function stopped(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.process.kill('SIGTERM');
  });
}

/** Tells the first process that this one listens. */
export function tellListening(): void {
  process.send?.('listening');
}
