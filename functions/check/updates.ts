import type { Log as WriteLog } from '../../blocklist/invalid-entry-log.ts';
import type { UpdatesPage, UpdatesRequest } from '../../contract/updates.ts';
import { placeOf } from '../../updates/cursor.ts';
import { type PageRead, pageAfter, pageAtEnd, type Read } from '../../updates/page.ts';
import type { LogRecord } from '../../updates/record.ts';
import { HttpError } from './http.ts';

/** Where the function reads updates. */
export interface Updates {
  readonly log: {
    tail(): Promise<LogRecord | undefined>;
    from(number: number, options: { readonly isConsistent: boolean }): Promise<Read>;
  };
  /** How long agents wait between two requests. */
  readonly waitMs: number;
}

interface UpdatesDeps {
  readonly updates: Updates | undefined;
  readonly clock: () => number;
  readonly log: WriteLog;
}

/** Answers `GET /v1/updates`. */
export async function updatesFor(request: UpdatesRequest, deps: UpdatesDeps): Promise<UpdatesPage> {
  const { updates } = deps;
  if (updates === undefined) throw new HttpError(404, 'this backend has no updates');
  return (await read(request, updates, deps.clock)).page;
}

async function read(
  { after, lists }: UpdatesRequest,
  { log, waitMs }: Updates,
  clock: () => number,
): Promise<PageRead> {
  const options = () => ({ lists, waitMs, nowMs: clock() });
  if (after === undefined) return pageAtEnd(await log.tail(), options());
  const place = placeOf(after);
  if (place !== undefined)
    for (const isConsistent of [false, true]) {
      // a read that is not consistent may lack the newest record, which the cursor can be
      const page = pageAfter(place, await log.from(place.number, { isConsistent }), options());
      if (page !== undefined) return page;
    }
  throw new HttpError(410, 'the cursor is not in the log: ask again without it');
}
