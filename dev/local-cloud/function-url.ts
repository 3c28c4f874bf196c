import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from 'aws-lambda';
import { TooManyCalls } from './environment-pool.ts';
import { type Caller, functionEvent } from './function-event.ts';
import { AccessDenied } from './principals.ts';
import { SignatureError, type SignedRequest } from './sigv4-verifier.ts';

export interface FunctionUrlOptions {
  /** Calls the function; rejects with `TooManyCalls`, or with any error of the function. */
  invoke(event: LambdaFunctionURLEvent): Promise<unknown>;
  /** Returns the authorized caller; throws `SignatureError` or `AccessDenied`. Without it the URL is public. */
  authorize?(request: SignedRequest): Caller | undefined;
  readonly port?: number;
}

/** Lambda's limit for a synchronous call. */
const MAX_REQUEST_BYTES = 6 * 1024 * 1024;
const FAILED = { statusCode: 502, body: 'Internal Server Error' } as const;

/** An HTTP server that calls a function as a Lambda function URL does, payload format 2.0. */
export class FunctionUrl {
  readonly #options: FunctionUrlOptions;
  readonly #server: Server;
  #port: number;

  private constructor(options: FunctionUrlOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(options: FunctionUrlOptions): Promise<FunctionUrl> {
    const functionUrl = new FunctionUrl(options);
    await functionUrl.open();
    return functionUrl;
  }

  /** Ends with a slash, like the URLs of AWS. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Listens; after `close` again on the same port. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port; // a listening TCP server has one
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request).catch(() => undefined);
    if (body === undefined) return void response.destroy(); // the caller went away
    const result = body.length > MAX_REQUEST_BYTES ? { statusCode: 413 } : await this.#call(request, body);
    const answered = Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8');
    response.writeHead(result.statusCode ?? 200, {
      ...(result.headers as Record<string, string>), // ours are all strings
      'content-length': answered.length,
    });
    response.end(answered);
  }

  async #call(request: IncomingMessage, body: Buffer): Promise<APIGatewayProxyStructuredResultV2> {
    try {
      const { method = 'GET', url = '/', headers } = request;
      const caller = this.#options.authorize?.({ method, target: url, headers, body });
      return structured(await this.#options.invoke(functionEvent(request, body, caller)));
    } catch (error) {
      return refusal(error);
    }
  }
}

/** The response; a result without a status is the body itself, as JSON. */
function structured(result: unknown): APIGatewayProxyStructuredResultV2 {
  if (typeof result === 'object' && result !== null && 'statusCode' in result)
    return result as APIGatewayProxyStructuredResultV2; // payload format 2.0
  const body = typeof result === 'string' ? result : JSON.stringify(result);
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body };
}

/** The refusal. AWS only answers "Forbidden"; this names the reason, for developers. */
function refusal(error: unknown): APIGatewayProxyStructuredResultV2 {
  if (error instanceof SignatureError) return failed(403, error.exception, { message: error.message });
  if (error instanceof AccessDenied) return failed(403, 'AccessDeniedException', { Message: error.message });
  if (error instanceof TooManyCalls) {
    const Reason = 'ReservedFunctionConcurrentInvocationLimitExceeded';
    return failed(429, 'TooManyRequestsException', { Reason, Type: 'User', message: error.message });
  }
  return FAILED;
}

function failed(statusCode: number, exception: string, body: object): APIGatewayProxyStructuredResultV2 {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': exception };
  return { statusCode, headers, body: JSON.stringify(body) };
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_REQUEST_BYTES ? Buffer.alloc(MAX_REQUEST_BYTES + 1) : Buffer.concat(chunks);
}
