import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One call of the function, as its runtime gets it. */
export interface Invocation {
  readonly requestId: string;
  readonly event: object;
  readonly deadlineMs: number;
  readonly functionArn: string;
}

/** An error that the runtime reported: the function threw, or could not be loaded. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure';
}

const PREFIX = '/2018-06-01/runtime';
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;

/** The Runtime API of one execution environment, from which a runtime gets events and to which it posts results. */
export class RuntimeApi {
  /** Resolves when the runtime first asks for an event, which ends its initialization; rejects if it cannot. */
  readonly ready: Promise<void>;
  readonly #becameReady = Promise.withResolvers<void>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #waiting: ServerResponse | undefined;
  #current: { readonly invocation: Invocation; readonly answer: PromiseWithResolvers<unknown> } | undefined;

  constructor() {
    this.ready = this.#becameReady.promise;
    this.ready.catch(() => {}); // a rejection without a waiting call must not be unhandled
  }

  /** Listens, and returns the value of `AWS_LAMBDA_RUNTIME_API`. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // a listening TCP server has one
  }

  /** Passes one event to the waiting runtime; one at a time. */
  invoke(invocation: Invocation): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    this.#current = { invocation, answer };
    this.#handOver();
    return answer.promise;
  }

  /** Fails the current call or initialization, for example because the process has ended. */
  fail(problem: string): void {
    const failure = new RuntimeFailure(problem);
    this.#becameReady.reject(failure);
    this.#current?.answer.reject(failure);
    this.#current = undefined;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path === `${PREFIX}/invocation/next`) {
      this.#waiting = response;
      this.#becameReady.resolve();
      this.#handOver();
      return;
    }
    const body = await text(request).catch(() => '');
    const [, requestId, kind] = ANSWER.exec(path) ?? [];
    if (path === `${PREFIX}/init/error`) this.fail(describe(body));
    else if (requestId === undefined || requestId !== this.#current?.invocation.requestId)
      return void response.writeHead(404).end();
    else this.#settle(kind === 'response', body);
    response.writeHead(202).end();
  }

  /** Ends the call before the runtime asks for the next one, so that it is not delivered twice. */
  #settle(succeeded: boolean, body: string): void {
    const answer = this.#current?.answer;
    this.#current = undefined;
    if (succeeded) answer?.resolve(JSON.parse(body || 'null'));
    else answer?.reject(new RuntimeFailure(describe(body)));
  }

  #handOver(): void {
    if (this.#waiting === undefined || this.#current === undefined) return;
    const { requestId, event, deadlineMs, functionArn } = this.#current.invocation;
    this.#waiting.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': requestId,
      'lambda-runtime-deadline-ms': deadlineMs,
      'lambda-runtime-invoked-function-arn': functionArn,
    });
    this.#waiting.end(JSON.stringify(event));
    this.#waiting = undefined;
  }
}

function describe(body: string): string {
  const { errorType, errorMessage } = JSON.parse(body || '{}') as { errorType?: string; errorMessage?: string };
  return `${errorType ?? 'Error'}: ${errorMessage ?? 'unknown'}`;
}
