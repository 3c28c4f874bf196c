import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { ExecutionEnvironment, type FunctionCode } from './execution-environment.ts';

export interface PoolOptions {
  readonly code: FunctionCode;
  readonly functionArn: string;
  readonly timeoutMs: number;
  /** How many calls may be under way, as reserved for the function. */
  readonly maxConcurrency: number;
  /** The variables of a new environment; throws if there must be none. */
  variables(): Readonly<Record<string, string>>;
  log(line: string): void;
}

/** There are as many calls under way as were reserved. */
export class TooManyCalls extends Error {
  override readonly name = 'TooManyCalls';
}

/** More processes at once would only slow each other down; calls beyond wait for one of them. */
const MAX_PROCESSES = 2 * availableParallelism();

/** The execution environments of one function: made on demand, one call at a time each, and kept. */
export class EnvironmentPool {
  /** How long each cold start took, in the order they happened. */
  readonly initsMs: number[] = [];
  readonly #options: PoolOptions;
  readonly #idle: ExecutionEnvironment[] = [];
  readonly #all = new Set<ExecutionEnvironment>();
  readonly #waiting: PromiseWithResolvers<ExecutionEnvironment>[] = [];
  #starting = 0;
  #underWay = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Calls the function; rejects with `TooManyCalls` at once if there is no room, else with what went wrong in it. */
  async invoke(event: object): Promise<unknown> {
    const { maxConcurrency, timeoutMs, functionArn } = this.#options;
    if (this.#underWay >= maxConcurrency) throw new TooManyCalls('Rate Exceeded.');
    this.#underWay++;
    try {
      const environment = await this.#environment();
      try {
        return await environment.invoke(event, { requestId: randomUUID(), functionArn }, timeoutMs);
      } catch (error) {
        this.#options.log(`${error}`);
        throw error;
      } finally {
        this.#release(environment);
      }
    } finally {
      this.#underWay--;
    }
  }

  /** Starts environments before there is a call, as provisioned concurrency does. */
  async prepare(count: number): Promise<void> {
    await Promise.all(Array.from({ length: Math.min(count, MAX_PROCESSES) }, () => this.#start()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error('the function is gone'));
    await Promise.all([...this.#all].map((environment) => environment.stop()));
  }

  #environment(): Promise<ExecutionEnvironment> {
    const idle = this.#takeIdle();
    if (idle !== undefined) return Promise.resolve(idle);
    const waiter = Promise.withResolvers<ExecutionEnvironment>();
    this.#waiting.push(waiter);
    this.#startIfNeeded();
    return waiter.promise;
  }

  #takeIdle(): ExecutionEnvironment | undefined {
    for (;;) {
      const environment = this.#idle.pop();
      if (environment === undefined || !environment.ended) return environment;
      this.#all.delete(environment);
    }
  }

  async #start(): Promise<void> {
    this.#starting++;
    try {
      const { code, variables, log } = this.#options;
      const environment = await ExecutionEnvironment.start(code, variables(), log);
      this.#all.add(environment);
      this.initsMs.push(environment.initMs);
      if (this.#closed) await environment.stop();
      else this.#release(environment);
    } catch (error) {
      this.#options.log(`${error}`);
      this.#waiting.shift()?.reject(error);
    } finally {
      this.#starting--;
      this.#startIfNeeded();
    }
  }

  #startIfNeeded(): void {
    const processes = this.#all.size + this.#starting;
    if (!this.#closed && this.#waiting.length > this.#starting && processes < MAX_PROCESSES) void this.#start();
  }

  /** An environment that is free again takes whoever waits longest, also for one that is still starting. */
  #release(environment: ExecutionEnvironment): void {
    if (environment.ended) {
      this.#all.delete(environment);
      this.#startIfNeeded();
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#idle.push(environment);
    else waiter.resolve(environment);
  }
}
