import { request } from 'undici';
import { CHECK_PATH, type CheckRequest } from '../../contract/check.ts';

/** What came back, whatever it is. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly ms: number;
}

/** A check that was asked for as the contract says, and what came back. */
export interface Exchange {
  readonly request: CheckRequest;
  readonly answer: Answer;
}

/** 100 verdicts with the longest subjects and reasons are under 300 KB; the agent reads no more than this either. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** The backend that is looked at. It remembers what it was asked, so that later checks can look at all of it. */
export class Target {
  readonly exchanges: Exchange[] = [];
  readonly refusals: Answer[] = [];
  readonly #base: string;
  readonly #timeoutMs: number;

  constructor(url: string, timeoutMs: number) {
    this.#base = url.replace(/\/$/, '');
    this.#timeoutMs = timeoutMs;
  }

  async check(request: CheckRequest): Promise<Answer> {
    const answer = await this.#send('POST', CHECK_PATH, JSON.stringify(request));
    this.exchanges.push({ request, answer });
    return answer;
  }

  /** A request that the contract does not know. */
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
    const response = await request(this.#base + path, {
      method,
      signal: AbortSignal.timeout(this.#timeoutMs),
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    });
    const text = await readText(response.body);
    const contentType = String(response.headers['content-type'] ?? '');
    return { status: response.statusCode, contentType, text, ms: performance.now() - startedMs };
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
