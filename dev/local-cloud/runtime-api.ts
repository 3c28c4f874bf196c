import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One call of the function, as its runtime sees it. */
export interface Invocation {
  readonly requestId: string;
  readonly event: object;
  readonly deadlineMs: number;
  readonly functionArn: string;
}

/** The function threw, or could not be loaded: what its runtime told of it. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure';
}

const PREFIX = '/2018-06-01/runtime';
const ANSWER = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;

/** The HTTP side of one execution environment: what a runtime asks for its next event and tells the answer. */
export class RuntimeApi {
  /** Resolves when the runtime first asks for an event, which ends its initialization; rejects if it cannot. */
  readonly ready: Promise<void>;
  readonly #becameReady = Promise.withResolvers<void>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #waiting: ServerResponse | undefined;
  #current: { readonly invocation: Invocation; readonly answer: PromiseWithResolvers<unknown> } | undefined;

  constructor() {
    this.ready = this.#becameReady.promise;
    this.ready.catch(() => {}); // whoever waits for it learns of it; nobody may be left to
  }

  /** Listens, and says where, as the runtime wants it in `AWS_LAMBDA_RUNTIME_API`. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // a listening TCP server has one
  }

  /** Hands one event to the runtime, which must be waiting for it; one at a time. */
  invoke(invocation: Invocation): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    this.#current = { invocation, answer };
    this.#handOver();
    return answer.promise;
  }

  /** Ends what is under way, as when the process behind it is gone. */
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

  /** The call is over before the runtime asks for the next, so that it is not handed out again. */
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
