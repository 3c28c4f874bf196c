import { randomBytes } from 'node:crypto';
import type { Edit } from '../../blocklist/records.ts';
import type { Item } from '../../blocklist/store.ts';
import { ownStreams } from '../output/streams.ts';

/** A name for one run of a command, by which it can be reverted; short enough to be typed. */
export function newRunId(): string {
  return randomBytes(6).toString('hex');
}

/** Tells whoever ordered this run that it is in the history, and can be taken back. */
export function tellRecorded(run: string): void {
  ownStreams()?.recorded(run);
}

/** Writing an entry, where `before` was. */
export function editOfPut(after: Item, before: Item | undefined): Edit {
  return { subject: String(after.subject), ...(before && { before }), after };
}

export function editOfRemoval(before: Item): Edit {
  return { subject: String(before.subject), before };
}
