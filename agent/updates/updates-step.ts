import type { Mirror as Manifest } from '../../contract/mirror.ts';
import type { Change, ListStates, UpdatesPage } from '../../contract/updates.ts';
import type { Moment, Proof } from './freshness.ts';

/** What one page of the log says. */
export interface PageStep {
  readonly kind: 'page';
  /** The log is followed from its end on: what changed before is not known. */
  readonly isStart: boolean;
  /** At a start: a process that has ended followed the log before. */
  readonly isAgain?: boolean;
  readonly changes: readonly Change[];
  /** When it was asked for. */
  readonly askedAt?: Moment;
  /** Absent if the backend cannot prove what is in its log, or has none. */
  readonly proof?: Proof;
  /** The backend has no log of changes, or it is not followed any more. */
  readonly isOff?: boolean;
  /** Where in the log the page begins and ends. */
  readonly place?: PagePlace;
  /** What the lists have where the page ends, if the backend counted there. */
  readonly checkpoint?: ListStates;
  /** How far the backend's clock is ahead of this host's. */
  readonly clockAheadMs?: number;
  /** It is for the mirror that is being loaded. */
  readonly isForNext?: boolean;
}

interface PagePlace {
  /** Absent at a start. */
  readonly after?: string;
  readonly cursor: string;
  /** The number of records up to the cursor. */
  readonly position: number;
}

/** A mirror is loaded, beside the one in use if there is one. */
export interface BeginStep {
  readonly kind: 'begin';
  readonly url: string;
  readonly manifest: Manifest;
  /** How far the backend's clock is ahead of this host's. */
  readonly clockAheadMs: number;
}

export interface SegmentStep {
  readonly kind: 'segment';
  /** Its place in the manifest. */
  readonly index: number;
  /** As it was received. */
  readonly packed: Uint8Array;
}

/** The mirror that was loaded is in use from now on (`swap`), or will not be (`abandon`). */
export interface EndStep {
  readonly kind: 'swap' | 'abandon';
  /** It is of a file: what was proven of it says nothing of now. */
  readonly isOld?: boolean;
}

export type MirrorStep = BeginStep | SegmentStep | EndStep;

/** What the process that follows the log tells the others, in this order. */
export type UpdatesStep = PageStep | MirrorStep;

/** The log of changes is not followed, or there is none. */
export const OFF: PageStep = { kind: 'page', isStart: true, changes: [], isOff: true };

/** A page as a step; it begins at `after`, or at the end of the log. */
export function pageStep(
  { cursor, changes, provenAgeMs, position, checkpoint, now }: UpdatesPage,
  { askedAt, gotAt, after }: { readonly askedAt: Moment; readonly gotAt: Moment; readonly after: string | undefined },
): PageStep {
  return {
    kind: 'page',
    isStart: after === undefined,
    changes,
    askedAt,
    place: { cursor, ...(after !== undefined && { after }), position: position ?? 0 },
    clockAheadMs: now - gotAt.epochMs,
    ...(provenAgeMs !== null && { proof: { askedAt, ageMs: provenAgeMs } }),
    ...(checkpoint !== undefined && { checkpoint: checkpoint.lists }),
  };
}
