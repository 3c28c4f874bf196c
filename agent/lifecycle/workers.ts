import cluster, { type Worker } from 'node:cluster';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../log.ts';
import { RpcClient } from './worker-rpc.ts';

/** The delay before a dead worker is replaced: without it, a worker that cannot start would use up the CPU. */
const RESTART_DELAY_MS = 1_000;

/** Receives the output of workers, line by line. Must not block. */
export interface WorkerOutput {
  /** A log record. */
  stdout(line: string): void;
  stderr(line: string): void;
}

/** The first message to a worker. */
export interface StartMessage {
  readonly settings: Settings;
  /** Whether it writes the cache file. One worker does: connections are distributed evenly, so all caches are similar. */
  readonly savesCache: boolean;
  /** Whether another process did its work before. */
  readonly isReplacement: boolean;
}

interface WorkerHandle {
  readonly worker: Worker;
  readonly rpc: RpcClient;
}

/** Is this process one of several that share the listeners? */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/**
 * Runs copies of this process. The first process accepts connections and distributes them round-robin: HAProxy keeps few
 * long connections, so a random choice by the kernel would leave workers idle (docs/decisions/0003-workers.md).
 */
export class Workers {
  readonly #log: Pick<Log, 'info' | 'error'>;
  readonly #output: WorkerOutput;
  /** The workers that listen, by slot; a starting one answers no calls. */
  readonly #workers = new Map<number, WorkerHandle>();
  #settings: Settings;
  #stopping = false;
  #replaced = 0;

  constructor(settings: Settings, log: Pick<Log, 'info' | 'error'>, output: WorkerOutput) {
    this.#output = output;
    this.#settings = settings;
    this.#log = log;
  }

  /** The number of workers that ended unexpectedly. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Resolves when all workers listen; rejects if one ends before. */
  async start(): Promise<void> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // Node makes a standard stream blocking for all processes when a child inherits it, so workers get pipes.
    // The segments of a mirror are bytes.
    cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'advanced' });
    const places = Array.from({ length: this.#settings.workers }, (_, place) => place);
    await Promise.all(places.map((place) => listening(this.#fork(place, false))));
  }

  /** Calls a function in all workers. Leaves out those that end meanwhile; rejects if none is left, or if one fails. */
  async call(name: string, argument?: unknown): Promise<unknown[]> {
    const asked = [...this.#workers.values()].map(async ({ worker, rpc }) => {
      try {
        return [await rpc.call(name, argument)];
      } catch (error) {
        if (worker.isDead()) return [];
        throw error;
      }
    });
    const answers = (await Promise.all(asked)).flat();
    if (answers.length === 0) throw new Error('all workers are being replaced');
    return answers;
  }

  /**
   * Reloads all workers with new settings. Rejects if none can use them; if only some cannot, these are replaced, so that
   * all end up with the same settings.
   */
  async reload(settings: Settings): Promise<void> {
    const workers = [...this.#workers.values()];
    const results = await Promise.allSettled(workers.map(({ rpc }) => rpc.call('reload', settings)));
    const failed = results.flatMap((result, index) => (result.status === 'rejected' ? [{ index, ...result }] : []));
    if (failed.length === workers.length && failed[0] !== undefined) throw failed[0].reason;
    this.#settings = { ...settings, workers: this.#settings.workers };
    for (const { index, reason } of failed) this.#terminate(workers[index] as WorkerHandle, reason); // in bounds
    for (const handle of this.#workers.values()) if (!workers.includes(handle)) this.#catchUp(handle);
  }

  /** Reloads a worker that was started with earlier settings. */
  #catchUp(handle: WorkerHandle): void {
    handle.rpc.call('reload', this.#settings).catch((error) => this.#terminate(handle, error));
  }

  #terminate({ worker }: WorkerHandle, reason: unknown): void {
    this.#log.error(
      { pid: worker.process.pid, error: String(reason) },
      'worker cannot load the new configuration: replacing it',
    );
    worker.process.kill('SIGTERM');
  }

  /** Stops all workers gracefully; resolves when the last has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => stopped(worker as Worker))); // none is undefined
  }

  #fork(place: number, isReplacement: boolean): Worker {
    const worker = cluster.fork();
    this.#forwardOutput(worker);
    const handle = { worker, rpc: new RpcClient(worker) };
    const startMessage: StartMessage = {
      settings: this.#settings,
      savesCache: place === 0,
      isReplacement,
    };
    worker.send(startMessage, () => {}); // if it has ended already, `exit` reports that
    worker.once('message', () => {
      // It listens: from now on it gets calls, and is replaced if it ends.
      this.#workers.set(place, handle);
      handle.rpc.onTold = (name, argument) => this.#tellOthers(handle, name, argument);
      worker.once('exit', (code, signal) => this.#replace(place, worker, code, signal));
      if (startMessage.settings !== this.#settings) this.#catchUp(handle);
    });
    return worker;
  }

  /** What one worker tells is called in the others; one that ends meanwhile is left out. */
  #tellOthers(teller: WorkerHandle, name: string, argument: unknown): void {
    for (const other of this.#workers.values()) if (other !== teller) other.rpc.call(name, argument).catch(() => {});
  }

  #forwardOutput({ process: { stdout, stderr } }: Worker): void {
    createInterface({ input: stdout as Readable }).on('line', (line) => this.#output.stdout(line)); // both are pipes
    createInterface({ input: stderr as Readable }).on('line', (line) => this.#output.stderr(line));
  }

  #replace(place: number, worker: Worker, code: number, signal: string): void {
    this.#workers.delete(place);
    if (this.#stopping) return;
    this.#replaced++;
    this.#log.error({ pid: worker.process.pid, code, signal }, 'worker exited: replacing it');
    this.#forkLater(place);
  }

  #forkLater(place: number): void {
    setTimeout(() => {
      if (this.#stopping) return;
      // A worker that ends before it listens is started again.
      listening(this.#fork(place, true)).catch(() => {
        this.#replaced++;
        this.#forkLater(place);
      });
    }, RESTART_DELAY_MS);
  }
}

function listening(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('exit', (code, signal) =>
      reject(new Error(`a worker ended with ${code ?? signal} before it listened`)),
    );
  });
}

function stopped(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.process.once('close', () => resolve()); // it has ended, and all its output is read
    worker.process.kill('SIGTERM');
  });
}

/** In a worker: the first message from the first process. */
export function receiveStartMessage(): Promise<StartMessage> {
  return new Promise((resolve) => process.once('message', (message) => resolve(message as StartMessage))); // our own first process
}

/** In a worker: reports to the first process that this one listens. */
export function reportListening(): void {
  process.send?.({ listening: true }, () => {}); // the first process may have ended
}
