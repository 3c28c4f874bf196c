import { Pool } from 'undici';
import { CHECK_PATH, CheckEnvelope, type CheckRequest, Verdict } from '../../contract/check.ts';
import { LookupError } from '../decision/decision.ts';
import type { Backend, Lookup } from '../decision/loader.ts';

export interface ClientSettings {
  /** The function URL; a path in it is kept. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
}

export interface ClientEvents {
  succeeded(): void;
  failed(error: LookupError): void;
  /** The function answered an entry that the contract does not allow; the subject counts as not looked up. */
  badEntry(subject: string, problem: string): void;
}

/** 100 verdicts with the longest subjects and reasons are under 300 KB. */
const MAX_RESPONSE_BYTES = 1024 * 1024;

/** Asks the function over HTTP. Nothing is retried here: the cache remembers a failure for a moment, then asks again. */
export class BackendClient implements Backend {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #lists: readonly string[];
  readonly #timeoutMs: number;
  readonly #events: ClientEvents;

  constructor(settings: ClientSettings, lists: readonly string[], events: ClientEvents) {
    const url = new URL(settings.url);
    this.#pool = new Pool(url.origin, {
      connections: settings.maxConcurrent,
      connect: { timeout: settings.timeoutMs },
    });
    this.#path = url.pathname.replace(/\/$/, '') + CHECK_PATH;
    this.#lists = lists;
    this.#timeoutMs = settings.timeoutMs;
    this.#events = events;
  }

  async check(subjects: readonly string[]): Promise<{ lookups: Lookup[]; ttlSeconds: number }> {
    try {
      const { verdicts, ttl } = parseResponse(await this.#post({ lists: [...this.#lists], subjects: [...subjects] }));
      if (verdicts.length !== subjects.length) {
        throw failure(`asked ${subjects.length} subjects, got ${verdicts.length} verdicts`);
      }
      const lookups = subjects.map((subject, index) => this.#readVerdict(subject, verdicts[index]));
      this.#events.succeeded();
      return { lookups, ttlSeconds: ttl };
    } catch (error) {
      const lookupError = error instanceof LookupError ? error : failure(describe(error), error);
      this.#events.failed(lookupError);
      throw lookupError;
    }
  }

  /** Cuts the calls under way short. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #post(request: CheckRequest): Promise<string> {
    const { statusCode, body } = await this.#pool.request({
      method: 'POST',
      path: this.#path,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    let bytes = 0;
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_RESPONSE_BYTES) throw failure(`answer is larger than ${MAX_RESPONSE_BYTES} bytes`);
      chunks.push(chunk);
    }
    if (statusCode !== 200) throw failure(`answered status ${statusCode}`);
    return Buffer.concat(chunks).toString('utf8');
  }

  #readVerdict(subject: string, received: unknown): Lookup {
    const verdict = Verdict.safeParse(received);
    if (!verdict.success) {
      const problem = verdict.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      this.#events.badEntry(subject, problem);
      return { error: problem };
    }
    if (verdict.data.subject !== subject)
      throw failure(`asked "${subject}", got a verdict for "${verdict.data.subject}"`);
    const { entry, error } = verdict.data;
    if (error !== undefined) return { error };
    if (entry && !this.#lists.includes(entry.list))
      throw failure(`got an entry of list "${entry.list}", which was not asked`);
    return { entry: entry ?? null };
  }
}

function parseResponse(text: string): { verdicts: readonly unknown[]; ttl: number } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw failure('answer is no JSON', error);
  }
  const envelope = CheckEnvelope.safeParse(json);
  if (!envelope.success) throw failure('answer has no list of verdicts and no ttl');
  return envelope.data;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'did not answer in time';
  return error.message === '' ? error.name : error.message;
}

function failure(message: string, cause?: unknown): LookupError {
  return new LookupError('backend_error', `backend: ${message}`, cause === undefined ? undefined : { cause });
}
