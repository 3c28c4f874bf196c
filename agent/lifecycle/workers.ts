import cluster, { type Worker } from 'node:cluster';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../log.ts';
import { RpcClient } from './worker-rpc.ts';

/** A worker that dies is replaced, but not in a tight loop: one that cannot start would take the host's CPU. */
const RESTART_DELAY_MS = 1_000;

/** What workers write, line by line. It must not block. */
export interface WorkerOutput {
  /** A record of the log. */
  stdout(line: string): void;
  stderr(line: string): void;
}

/** What a worker is told first. */
export interface StartMessage {
  readonly settings: Settings;
  /** One of them writes the file of the cache: connections go round, so that all caches hold about the same. */
  readonly savesCache: boolean;
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
 * Runs so many copies of this process. The first one accepts connections and hands them out in turn: HAProxy keeps few
 * and long ones, so that a kernel's choice by chance would leave a copy idle (docs/decisions/0003-workers.md).
 */
export class Workers {
  readonly #log: Pick<Log, 'info' | 'error'>;
  readonly #printed: WorkerOutput;
  /** Those that listen, by their place: one that is starting answers no call. */
  readonly #team = new Map<number, WorkerHandle>();
  #settings: Settings;
  #stopping = false;
  #replaced = 0;

  constructor(settings: Settings, log: Pick<Log, 'info' | 'error'>, printed: WorkerOutput) {
    this.#printed = printed;
    this.#settings = settings;
    this.#log = log;
  }

  /** How many ended without being told to. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Resolves when all of them listen; rejects if one ends before. */
  async start(): Promise<void> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // Node makes a standard stream block for all who share it when a child inherits it: no worker does.
    cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const places = Array.from({ length: this.#settings.workers }, (_, place) => place);
    await Promise.all(places.map((place) => listening(this.#fork(place))));
  }

  /** What each of them answers, but for one that ends meanwhile. Rejects if none answers, or one that runs cannot. */
  async call(name: string, argument?: unknown): Promise<unknown[]> {
    const asked = [...this.#team.values()].map(async ({ worker, rpc }) => {
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
   * Has all of them go on with other settings. Rejects if none can; one that alone cannot is replaced, so that all end the
   * same.
   */
  async reload(settings: Settings): Promise<void> {
    const team = [...this.#team.values()];
    const results = await Promise.allSettled(team.map(({ rpc }) => rpc.call('reload', settings)));
    const failed = results.flatMap((result, index) => (result.status === 'rejected' ? [{ index, ...result }] : []));
    if (failed.length === team.length && failed[0] !== undefined) throw failed[0].reason;
    this.#settings = { ...settings, workers: this.#settings.workers };
    for (const { index, reason } of failed) this.#dismiss(team[index] as WorkerHandle, reason); // an index of the team
    for (const colleague of this.#team.values()) if (!team.includes(colleague)) this.#catchUp(colleague);
  }

  /** Has one that was started with earlier settings go on with those in force. */
  #catchUp(colleague: WorkerHandle): void {
    colleague.rpc.call('reload', this.#settings).catch((error) => this.#dismiss(colleague, error));
  }

  #dismiss({ worker }: WorkerHandle, reason: unknown): void {
    this.#log.error(
      { pid: worker.process.pid, error: String(reason) },
      'worker cannot load the new configuration: replacing it',
    );
    worker.process.kill('SIGTERM');
  }

  /** Tells all to drain, and resolves when the last is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => stopped(worker as Worker))); // none is undefined
  }

  #fork(place: number): Worker {
    const worker = cluster.fork();
    this.#passOn(worker);
    const colleague = { worker, rpc: new RpcClient(worker) };
    const orders: StartMessage = { settings: this.#settings, savesCache: place === 0 };
    worker.send(orders, () => {}); // one that is gone already has said so
    worker.once('message', () => {
      // It listens: from now on it is asked, and replaced.
      this.#team.set(place, colleague);
      worker.once('exit', (code, signal) => this.#replace(place, worker, code, signal));
      if (orders.settings !== this.#settings) this.#catchUp(colleague);
    });
    return worker;
  }

  #passOn({ process: { stdout, stderr } }: Worker): void {
    createInterface({ input: stdout as Readable }).on('line', (line) => this.#printed.stdout(line)); // both are pipes
    createInterface({ input: stderr as Readable }).on('line', (line) => this.#printed.stderr(line));
  }

  #replace(place: number, worker: Worker, code: number, signal: string): void {
    this.#team.delete(place);
    if (this.#stopping) return;
    this.#replaced++;
    this.#log.error({ pid: worker.process.pid, code, signal }, 'worker exited: replacing it');
    this.#forkLater(place);
  }

  #forkLater(place: number): void {
    setTimeout(() => {
      if (this.#stopping) return;
      // One that ends before it listens is tried again.
      listening(this.#fork(place)).catch(() => {
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
    worker.process.once('close', () => resolve()); // it is gone, and all that it wrote is here
    worker.process.kill('SIGTERM');
  });
}

/** In a worker: what the first process tells it. */
export function orders(): Promise<StartMessage> {
  return new Promise((resolve) => process.once('message', (message) => resolve(message as StartMessage))); // our own first process
}

/** Tells the first process that this one listens. */
export function reportListening(): void {
  process.send?.({ listening: true }, () => {}); // the first process may have ended
}
