import type { Log as WriteLog } from '../../blocklist/invalid-entry-log.ts';
import type { UpdatesPage, UpdatesRequest } from '../../contract/updates.ts';
import { OLD_PROOF_MS } from '../../updates/canary.ts';
import { placeOf } from '../../updates/cursor.ts';
import { type PageRead, pageAfter, pageAtEnd, type Read } from '../../updates/page.ts';
import type { LogRecord } from '../../updates/record.ts';
import { HttpError } from './http.ts';

/** No canary is written more often than this, by however many copies of the function. */
const LEAST_AGE_MS = 10_000;
/** How often one copy of the function writes canaries at most. */
const EVERY_MS = 5000;

export interface UpdatesParts {
  readonly log: {
    tail(): Promise<LogRecord | undefined>;
    from(number: number, options: { readonly isConsistent: boolean }): Promise<Read>;
  };
  readonly canaries: {
    /** Writes these, but only where the last write was before `beforeMs`. */
    write(canaries: readonly string[], nowMs: number, beforeMs: number): Promise<void>;
  };
  /** How long agents wait between two requests. */
  readonly waitMs: number;
}

/** Answers `GET /v1/updates`, and keeps the proof of freshness young while somebody asks for it. */
export class Updates {
  readonly #parts: UpdatesParts;
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(parts: UpdatesParts) {
    this.#parts = parts;
  }

  async answer(request: UpdatesRequest, clock: () => number, log: WriteLog): Promise<UpdatesPage> {
    const { page, end } = await this.#read(request, clock);
    const isOld = page.provenAgeMs !== null && page.provenAgeMs > OLD_PROOF_MS;
    if (isOld && !page.more && page.now - this.#writtenMs >= EVERY_MS) {
      this.#writtenMs = page.now;
      await this.#renewProof(Object.keys(end?.beats ?? {}), page.now, log);
    }
    return page;
  }

  async #read({ after, lists }: UpdatesRequest, clock: () => number): Promise<PageRead> {
    const { log, waitMs } = this.#parts;
    const options = () => ({ lists, waitMs, nowMs: clock() });
    if (after === undefined) return pageAtEnd(await log.tail(), options());
    const place = placeOf(after);
    if (place !== undefined)
      for (const isConsistent of [false, true]) {
        // a read that is not consistent may lack the newest record, which the cursor can be
        const read = pageAfter(place, await log.from(place.number, { isConsistent }), options());
        if (read !== undefined) return read;
      }
    throw new HttpError(410, 'the cursor is not in the log: ask again without it');
  }

  /** The page is right without it. */
  async #renewProof(canaries: readonly string[], nowMs: number, log: WriteLog): Promise<void> {
    try {
      await this.#parts.canaries.write(canaries, nowMs, nowMs - LEAST_AGE_MS);
    } catch (error) {
      log('warn', 'canaries not written', { problem: String(error) });
    }
  }
}
