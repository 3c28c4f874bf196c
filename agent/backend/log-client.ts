import { ENDPOINTS } from '../../contract/check.ts';
import { MAX_SEGMENT_BYTES, Mirror, mirrorProblem, mirrorQuery, segmentPath } from '../../contract/mirror.ts';
import { updatesQuery } from '../../contract/updates.ts';
import type { Clock } from '../decision/clock.ts';
import { nextTurn } from '../decision/turns.ts';
import { BackendError, toBackendError } from './backend-error.ts';
import { FunctionUrl } from './function-url.ts';
import type { Signer } from './signer.ts';
import { statusError } from './status-error.ts';
import { readPage, type UpdatesAnswer } from './updates-page.ts';

/** Which segments a mirror has; `same` if it is the known one, `none` if the backend has no mirror, `not yet` if it has none now. */
export type ManifestAnswer = Mirror | 'same' | 'none' | 'not yet';

/** Segments that are loaded at a time. */
export const SEGMENTS_AT_A_TIME = 4;

/** No request waits for these calls, so that a cold start may take its time. */
const TIMEOUT_MS = { poll: 5_000, segment: 20_000 } as const;

/**
 * Asks a function for its log of changes and its mirror, over connections of its own and outside of budget and breaker: no
 * lookup waits for them, and a call that fails says nothing of lookups.
 */
export class LogClient {
  readonly #url: FunctionUrl;
  readonly #lists: readonly string[];
  readonly #clock: Clock;

  constructor(
    { url, connectTimeoutMs }: { readonly url: string; readonly connectTimeoutMs: number },
    lists: readonly string[],
    clock: Clock,
    sign?: Signer,
  ) {
    this.#url = new FunctionUrl({ url, connectTimeoutMs, maxConcurrent: SEGMENTS_AT_A_TIME + 1 }, sign);
    this.#lists = lists;
    this.#clock = clock;
  }

  /** The changes after a cursor, or where the log ends now. */
  async updates(after: string | undefined): Promise<UpdatesAnswer> {
    const query = updatesQuery({ after, lists: [...this.#lists] });
    const answer = await this.#get(`${ENDPOINTS.updates.path}?${query}`, TIMEOUT_MS.poll, { 410: 'gone', 404: 'none' });
    return Buffer.isBuffer(answer)
      ? await readPage(answer.toString(), this.#lists, () => nextTurn(this.#clock))
      : answer;
  }

  /** The manifest, unless it has this id. */
  async manifest(known: string | undefined): Promise<ManifestAnswer> {
    const path = `${ENDPOINTS.mirror.path}?${mirrorQuery({ lists: [...this.#lists] })}`;
    const meanings = { 404: 'none', 503: 'not yet' } as const;
    const [ifOther, same] =
      known === undefined ? [{}, {}] : [{ 'if-none-match': `"${known}"` }, { 304: 'same' } as const];
    const answer = await this.#get(path, TIMEOUT_MS.poll, { ...meanings, ...same }, { headers: ifOther });
    return Buffer.isBuffer(answer) ? readManifest(answer.toString(), this.#lists) : answer;
  }

  /** A segment as it was received. */
  async segment(id: string, n: number): Promise<Uint8Array | 'gone'> {
    return await this.#get(
      segmentPath(id, n),
      TIMEOUT_MS.segment,
      { 404: 'gone', 410: 'gone' },
      {
        maxBytes: MAX_SEGMENT_BYTES,
      },
    );
  }

  /** Aborts calls in flight. */
  async close(): Promise<void> {
    await this.#url.close();
  }

  /** The body, or what the status means. */
  async #get<const Meaning extends string>(
    path: string,
    timeoutMs: number,
    meanings: Readonly<Record<number, Meaning>>,
    more?: Parameters<FunctionUrl['get']>[2],
  ): Promise<Buffer | Meaning> {
    try {
      const answer = await this.#url.get(path, AbortSignal.timeout(timeoutMs), more);
      const meaning = meanings[answer.status];
      if (meaning !== undefined) return meaning;
      if (answer.status !== 200) throw statusError(answer, this.#url.isSigned, this.#clock.epochMs());
      return answer.bytes;
    } catch (error) {
      throw toBackendError(error);
    }
  }
}

function readManifest(text: string, lists: readonly string[]): Mirror {
  let manifest: Mirror;
  try {
    manifest = Mirror.parse(JSON.parse(text));
  } catch (error) {
    throw new BackendError('failing', 'answer is not the manifest of a mirror', { cause: error });
  }
  const problem = mirrorProblem(manifest, lists);
  if (problem !== undefined) throw new BackendError('failing', `manifest of the mirror: ${problem}`);
  return manifest;
}
