import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { ExecutionEnvironment, type FunctionCode } from './execution-environment.ts';

export interface PoolOptions {
  readonly code: FunctionCode;
  /** The ARN that is invoked: of the function, or of an alias. */
  readonly functionArn: string;
  readonly timeoutMs: number;
  readonly concurrency: Concurrency;
  /** The provisioned concurrency. */
  readonly provisioned?: number;
  /** The variables of a new environment; throws if it cannot be created. */
  variables(): Readonly<Record<string, string>>;
  log(line: string): void;
}

/** The calls of a function, which all its versions share. */
export interface Concurrency {
  readonly limit: number;
  underWay: number;
}

/** The concurrency limit is reached. */
export class TooManyCalls extends Error {
  override readonly name = 'TooManyCalls';
}

/** More processes would only slow each other down; further calls wait. */
const MAX_PROCESSES = 2 * availableParallelism();

/** The execution environments of one function: created on demand, reused, one call at a time each. */
export class EnvironmentPool {
  /** The duration of each cold start, in order. */
  readonly initsMs: number[] = [];
  readonly #options: PoolOptions;
  readonly #idle: ExecutionEnvironment[] = [];
  readonly #all = new Set<ExecutionEnvironment>();
  readonly #waiting: PromiseWithResolvers<ExecutionEnvironment>[] = [];
  #starting = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get functionArn(): string {
    return this.#options.functionArn;
  }

  /** Calls the function; rejects with `TooManyCalls` at the concurrency limit, or with the error of the function. */
  async invoke(event: object): Promise<unknown> {
    const { concurrency, timeoutMs, functionArn } = this.#options;
    if (concurrency.underWay >= concurrency.limit) throw new TooManyCalls('Rate Exceeded.');
    concurrency.underWay++;
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
      concurrency.underWay--;
    }
  }

  /** Starts environments ahead of calls: so many, or what is provisioned. */
  async prepare(count = this.#options.provisioned ?? 0): Promise<void> {
    await Promise.all(Array.from({ length: Math.min(count, MAX_PROCESSES) }, () => this.#start()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error('the function was stopped'));
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

  /** Gives a free environment to the call that waits longest, even if another environment is starting for it. */
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
