import { Pool } from 'undici';
import { BackendError, describeError } from './backend-error.ts';
import type { Signer, UnsignedRequest } from './signer.ts';

export interface FunctionUrlSettings {
  /** May have a path. */
  readonly url: string;
  readonly maxConcurrent: number;
  readonly connectTimeoutMs: number;
}

/** A response of the function, of any status. */
export interface FunctionAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  readonly text: string;
  /** The header `date`: the time of the response by the function's clock. */
  readonly date: string | undefined;
}

/** 100 verdicts with the longest subjects and reasons are under 300 KB. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Requests to one function URL over persistent connections, signed if there is a signer. undici's defaults apply: one
 * request at a time on a connection, since it would not pipeline a POST anyway, and 4 s until an idle connection is closed,
 * since AWS does not document how long a function URL keeps it.
 */
export class FunctionUrl {
  readonly #pool: Pool;
  readonly #host: string;
  readonly #path: string;
  readonly #sign: Signer | undefined;

  constructor(settings: FunctionUrlSettings, sign: Signer | undefined) {
    const url = new URL(settings.url);
    this.#pool = new Pool(url.origin, {
      connections: settings.maxConcurrent,
      connect: { timeout: settings.connectTimeoutMs },
    });
    this.#host = url.host;
    this.#path = url.pathname.replace(/\/$/, '');
    this.#sign = sign;
  }

  get isSigned(): boolean {
    return this.#sign !== undefined;
  }

  async get(
    path: string,
    signal: AbortSignal,
    {
      headers: more,
      maxBytes,
    }: { readonly headers?: Readonly<Record<string, string>>; readonly maxBytes?: number } = {},
  ): Promise<FunctionAnswer> {
    const headers = { ...this.#headers(), ...more };
    return await this.#request({ method: 'GET', path: this.#path + path, headers }, signal, maxBytes);
  }

  async post(path: string, body: object, signal: AbortSignal): Promise<FunctionAnswer> {
    const headers = { ...this.#headers(), 'content-type': 'application/json' };
    return await this.#request(
      { method: 'POST', path: this.#path + path, headers, body: JSON.stringify(body) },
      signal,
    );
  }

  /** Aborts requests in flight. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #headers(): UnsignedRequest['headers'] {
    return { host: this.#host, accept: 'application/json' };
  }

  async #request(request: UnsignedRequest, signal: AbortSignal, maxBytes = MAX_ANSWER_BYTES): Promise<FunctionAnswer> {
    const headers = this.#sign === undefined ? request.headers : await signed(request, this.#sign, signal);
    const { statusCode, headers: answered, body } = await this.#pool.request({ ...request, headers, signal });
    let bytes = 0;
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new BackendError('failing', `answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const date = typeof answered.date === 'string' ? answered.date : undefined;
    return new Answer(statusCode, Buffer.concat(chunks), date);
  }
}

class Answer implements FunctionAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  readonly date: string | undefined;

  constructor(status: number, bytes: Buffer, date: string | undefined) {
    this.status = status;
    this.bytes = bytes;
    this.date = date;
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }
}

/** Signs a request. The signal also applies while credentials are fetched, which may hang. */
async function signed(request: UnsignedRequest, sign: Signer, signal: AbortSignal): Promise<Record<string, string>> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new Error('cannot sign in time: AWS credentials are not available yet'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([sign(request), aborted]);
  } catch (error) {
    throw new BackendError('ours', describeError(error), { cause: error });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
