import type { StoredEntry } from '../../blocklist/entry.ts';
import { StoreError } from '../../blocklist/store.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { endIfStopped } from '../exit/interrupt.ts';
import type { Visit } from './visitor.ts';

export interface ProofDeps {
  visit(): Promise<Visit>;
  put(): Promise<void>;
  remove(): Promise<void>;
  /** Why the client may have got through although its entry is in the table; asked when it did to the end. */
  whyNotRefused(): Promise<string>;
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  pause(ms: number): Promise<void>;
  readonly signal: AbortSignal;
  /** How long to wait for the first request that is refused, and for the first that passes again. */
  readonly limits: { readonly refusedMs: number; readonly passedMs: number };
}

/** How long each step took, in milliseconds. */
export interface Proof {
  /** The status that the client had before, and has afterwards. */
  readonly usualStatus: number;
  /** From the table's answer to the first request that was refused. */
  readonly refusedAfterMs: number;
  readonly passedAfterMs: number;
}

/** Between two requests. */
const EVERY_MS = 20;
const REFUSED = 403;
const UNDECIDED = 503;

/** The entry of a proof, which ends by itself if this program does not remove it. */
export function entryOf(subject: string, list: string, by: string, nowMs: number, limitMs: number): StoredEntry {
  return {
    ...{ subject, list, action: 'deny', reason: 'haverdict prove' },
    ...{ createdBy: by, createdAt: new Date(nowMs).toISOString() },
    expiresAt: Math.ceil((nowMs + limitMs) / 1000) + 60,
  };
}

/**
 * Denies the client, sends requests until one is refused, removes the entry, and sends requests until one passes. The entry
 * is removed whatever happens. Throws a `CliError` that names what is wrong.
 */
export async function prove(deps: ProofDeps): Promise<Proof> {
  const usualStatus = statusBefore(await deps.visit());
  let isThere = true;
  try {
    await deps.put();
    const refusedAfterMs = await untilStatus(deps, REFUSED, deps.limits.refusedMs);
    if (refusedAfterMs === undefined)
      throw failure(`the client still gets ${usualStatus}: ${await deps.whyNotRefused()}`);
    await deps.remove();
    isThere = false;
    const passedAfterMs = await untilStatus(deps, usualStatus, deps.limits.passedMs);
    if (passedAfterMs === undefined)
      throw failure(
        `the client is still refused ${seconds(deps.limits.passedMs)} after its entry was removed: the agent keeps a deny for cache.denyTtlSeconds, or another entry covers it (haverdict explain)`,
      );
    return { usualStatus, refusedAfterMs, passedAfterMs };
  } finally {
    if (isThere) await deps.remove().catch(keepFirst);
  }
}

/** Milliseconds until a request had such a status; undefined if none had one within the limit. */
async function untilStatus(deps: ProofDeps, awaited: number, limitMs: number): Promise<number | undefined> {
  const startedMs = deps.now();
  for (;;) {
    endIfStopped(deps.signal, 'the entry of the proof was removed');
    const seen = await deps.visit();
    if ('fault' in seen) throw failure(seen.fault);
    const tookMs = deps.now() - startedMs;
    if (seen.status === awaited) return tookMs;
    if (seen.status === UNDECIDED)
      throw failure('the client gets 503: the agent could not be asked or did not know, and the policy is closed');
    if (tookMs > limitMs) return undefined;
    await deps.pause(EVERY_MS);
  }
}

function statusBefore(seen: Visit): number {
  if ('fault' in seen) throw failure(seen.fault);
  if (seen.status === REFUSED)
    throw failure(
      'the client is refused already, with 403: an entry covers it (haverdict explain), or a rule of HAProxy',
    );
  if (seen.status === UNDECIDED)
    throw failure(
      'the client gets 503 before anything is listed: the agent cannot be asked and the policy is closed, or no server is up',
    );
  return seen.status;
}

/** What failed first is told; the entry ends by itself. */
function keepFirst(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function failure(message: string): CliError {
  return new CliError(EXIT.failed, message);
}
