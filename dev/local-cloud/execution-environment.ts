import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bound } from './ends-with-process.ts';
import { type Invocation, RuntimeApi, RuntimeFailure } from './runtime-api.ts';

/** The code of a function. */
export interface FunctionCode {
  readonly folder: string;
  /** `file.export`, as in the template. */
  readonly handler: string;
}

const BOOTSTRAP = fileURLToPath(import.meta.resolve('./bootstrap.mjs'));
/** Lambda's limit for the init phase. */
const INIT_LIMIT_MS = 10_000;

/** One process that has loaded the function; runs one call at a time. */
export class ExecutionEnvironment {
  readonly #api: RuntimeApi;
  readonly #child: ChildProcess;
  readonly initMs: number;
  #ended = false;

  private constructor(api: RuntimeApi, child: ChildProcess, initMs: number) {
    this.#api = api;
    this.#child = child;
    this.initMs = initMs;
    child.once('exit', () => {
      this.#ended = true;
    });
  }

  /** Starts the process with only these variables; resolves when it asks for its first event. */
  static async start(
    code: FunctionCode,
    variables: Readonly<Record<string, string>>,
    log: (line: string) => void,
  ): Promise<ExecutionEnvironment> {
    const startedMs = performance.now();
    const api = new RuntimeApi();
    const env = {
      ...variables,
      AWS_LAMBDA_RUNTIME_API: await api.open(),
      LAMBDA_TASK_ROOT: code.folder,
      _HANDLER: code.handler,
      TZ: ':UTC',
      HOME: code.folder, // the files of this machine's user are not the function's, and the user may have no home
    };
    const child = bound(
      spawn(process.execPath, [BOOTSTRAP], { cwd: code.folder, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', log);
    child.once('exit', (exitCode, signal) => {
      api.fail(`Runtime.ExitError: the process ended with ${exitCode ?? signal}`);
      api.close();
    });
    const limit = setTimeout(() => child.kill('SIGKILL'), INIT_LIMIT_MS);
    await api.ready.finally(() => clearTimeout(limit));
    return new ExecutionEnvironment(api, child, performance.now() - startedMs);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Runs one call; at its time limit the process is killed, as on Lambda. */
  async invoke(event: object, call: Omit<Invocation, 'event' | 'deadlineMs'>, timeoutMs: number): Promise<unknown> {
    const expired = setTimeout(() => {
      this.#api.fail(`Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`);
      this.#ended = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    if (this.#ended) throw new RuntimeFailure('Runtime.ExitError: the process has ended');
    try {
      return await this.#api.invoke({ ...call, event, deadlineMs: Date.now() + timeoutMs });
    } finally {
      clearTimeout(expired);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
