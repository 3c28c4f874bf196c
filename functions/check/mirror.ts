import type { MirrorRequest } from '../../contract/mirror.ts';
import { type Manifest, type Mirrors, mirrorOf } from '../../updates/manifest.ts';
import { type LogRecord, NO_BASE } from '../../updates/record.ts';
import { type FunctionUrlResult, HttpError, respond } from './http.ts';

/** When an agent asks again for a mirror that is not there yet. */
const RETRY_AFTER = { 'retry-after': '15' };
/** A segment never changes. Nobody but the one who asked keeps it: it was signed for. */
const FOR_EVER = { 'cache-control': 'private, max-age=31536000, immutable' };

export interface MirrorParts {
  readonly log: { tail(): Promise<LogRecord | undefined>; at(number: number): Promise<LogRecord | undefined> };
  readonly mirrors: Pick<Mirrors, 'manifest' | 'segment'>;
}

/** Answers `GET /v1/mirror` and its segments. */
export class MirrorAnswers {
  readonly #parts: MirrorParts;

  constructor(parts: MirrorParts) {
    this.#parts = parts;
  }

  async manifest({ lists }: MirrorRequest, known: string | undefined, nowMs: number): Promise<FunctionUrlResult> {
    const manifest = await this.#parts.mirrors.manifest();
    if (manifest === undefined || !(await this.#goesOn(manifest, nowMs)))
      throw new HttpError(503, 'there is no mirror yet: ask again', RETRY_AFTER);
    const mirror = manifest.isTooLarge ? undefined : mirrorOf(manifest, lists, nowMs);
    if (mirror === undefined) throw new HttpError(404, 'the table is too large for a mirror');
    const etag = `"${mirror.id}"`;
    return known === etag ? { statusCode: 304, headers: { etag } } : respond(200, mirror, { etag });
  }

  async segment(named: { readonly id: string; readonly n: number } | undefined): Promise<FunctionUrlResult> {
    const packed = named && (await this.#parts.mirrors.segment(named.id, named.n));
    if (packed === undefined) throw new HttpError(404, 'the segment is not there: ask for the mirror again');
    return {
      statusCode: 200,
      headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', ...FOR_EVER },
      body: Buffer.from(packed).toString('base64'),
      isBase64Encoded: true,
    };
  }

  /** Is its place in the log, so that an agent can go on from there? */
  async #goesOn({ place }: Manifest, nowMs: number): Promise<boolean> {
    const { log } = this.#parts;
    const [tail, record] = await Promise.all([log.tail(), log.at(place.number)]);
    if (tail === undefined || record?.id !== place.id || record.expiresAt * 1000 <= nowMs) return false;
    return record.base === place.base && (tail.base === place.base || tail.base === NO_BASE);
  }
}
