import { gunzipSync } from 'node:zlib';
import { request } from 'undici';
import type { Signer } from '../../agent/backend/signer.ts';
import { type CheckRequest, ENDPOINTS } from '../../contract/check.ts';
import type { ListActions } from '../../contract/permitted-actions.ts';

/** The HTTP answer, valid or not. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly ms: number;
  /** The header `date`, and by how much the clock of this host is ahead of it. */
  readonly date?: string | undefined;
  readonly skewMs?: number | undefined;
}

/** A request that follows the contract, and its answer. */
export interface Exchange {
  readonly request: CheckRequest;
  readonly answer: Answer;
}

/** What the checks ask the backend. */
export interface CheckOptions {
  /** The lists to ask, as the agent would. */
  readonly lists: readonly string[];
  /** The lists limited to some actions, where the settings of an agent are known. */
  readonly listActions?: ListActions;
  /** A subject that the backend has an entry for in one of the lists. */
  readonly listed?: string;
  /** The number of calls for measuring the latency. */
  readonly calls: number;
  /** How long the agent waits for a call, where its settings are known. */
  readonly timeoutMs?: number;
}

/** The agent's limit. 100 verdicts with the longest subjects and reasons are under 300 KB. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** And before content-encoding: a segment of the mirror has up to 2 MiB. */
const MAX_DECODED_BYTES = 2 * MAX_ANSWER_BYTES;

/** The backend under test. It keeps requests and answers, so that later checks can look at all of them. */
export class Target {
  readonly exchanges: Exchange[] = [];
  readonly refusals: Answer[] = [];
  readonly #base: string;
  readonly #timeoutMs: number;
  readonly #sign: Signer | undefined;

  constructor(url: string, timeoutMs: number, sign?: Signer) {
    this.#sign = sign;
    this.#base = url.replace(/\/$/, '');
    this.#timeoutMs = timeoutMs;
  }

  get isSigned(): boolean {
    return this.#sign !== undefined;
  }

  async check(request: CheckRequest): Promise<Answer> {
    const answer = await this.#send('POST', ENDPOINTS.check.path, JSON.stringify(request));
    this.exchanges.push({ request, answer });
    return answer;
  }

  /** A request that violates the contract. */
  async misuse(method: 'GET' | 'POST' | 'PUT', path: string, body?: string): Promise<Answer> {
    const answer = await this.#send(method, path, body);
    this.refusals.push(answer);
    return answer;
  }

  get(path: string): Promise<Answer> {
    return this.#send('GET', path);
  }

  async #send(method: 'GET' | 'POST' | 'PUT', path: string, body?: string): Promise<Answer> {
    const startedMs = performance.now();
    const url = new URL(this.#base + path);
    const headers = { host: url.host, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const unsigned = { path: url.pathname + url.search, headers, ...(body !== undefined && { body }) };
    // the signer's type knows only the methods of the contract
    const signed = await this.#sign?.({ ...unsigned, method: method as 'GET' });
    const response = await request(url, {
      method,
      signal: AbortSignal.timeout(this.#timeoutMs),
      headers: signed ?? headers,
      ...(body !== undefined && { body }),
    });
    const text = await readText(response.body, response.headers['content-encoding'] === 'gzip');
    const contentType = String(response.headers['content-type'] ?? '');
    const date = typeof response.headers.date === 'string' ? response.headers.date : undefined;
    const ms = performance.now() - startedMs;
    const skewMs = date === undefined ? Number.NaN : Date.now() - Date.parse(date);
    return {
      status: response.statusCode,
      contentType,
      text,
      ms,
      date,
      skewMs: Number.isNaN(skewMs) ? undefined : skewMs,
    };
  }
}

async function readText(body: AsyncIterable<Buffer>, isZipped: boolean): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  const read = Buffer.concat(chunks);
  return (isZipped ? gunzipSync(read, { maxOutputLength: MAX_DECODED_BYTES }) : read).toString('utf8');
}
