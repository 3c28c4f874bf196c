import type { Blocklist } from '../../blocklist/store.ts';
import { editOfPut, editOfRemoval, newRunId } from '../entries/run.ts';
import type { ProtectedSet } from '../guards/protected.ts';
import type { Repair } from './finding.ts';
import { printableSubject } from './item-check.ts';

/** The context of a repair: the table, the operator, the time. */
export interface Repairer {
  readonly blocklist: Blocklist;
  readonly guard: ProtectedSet;
  readonly by: string;
  readonly now: () => string;
}

const WHY = 'lint --fix';

/** Records a repair in the history, then does it. Returns undefined if done, else why not. */
export async function repair(repair: Repair, repairer: Repairer): Promise<string | undefined> {
  switch (repair.how) {
    case 'rewrite':
      return rewrite(repair, repairer);
    case 'delete':
      return remove(repair.item, repairer, newRunId());
    case 'register':
      return register(repair.list, repairer);
    default:
      return repair satisfies never;
  }
}

/** Rewrites an entry that never matched and now will: it must not block protected subjects or replace another entry. */
async function rewrite(
  { item, entry }: Extract<Repair, { how: 'rewrite' }>,
  repairer: Repairer,
): Promise<string | undefined> {
  const { blocklist, guard, by, now } = repairer;
  const problem = guard.problemOf(entry);
  if (problem !== undefined) return `not rewritten: ${problem}`;
  if ((await blocklist.bulk.read([entry])).length > 0) return 'not rewritten: an entry is already there';
  const { list, subject, action, expiresAt } = entry;
  const run = newRunId();
  await blocklist.history.record(
    {
      ...{ list, change: 'put', at: now(), by, action, why: WHY, subjects: [subject], run },
      ...(expiresAt !== undefined && { until: expiresAt }),
    },
    { edits: [editOfPut(entry, undefined)] },
  );
  await blocklist.entries.put(entry);
  return remove(item, repairer, run);
}

async function remove(
  item: Extract<Repair, { how: 'delete' }>['item'],
  { blocklist, by, now }: Repairer,
  run: string,
): Promise<string | undefined> {
  const list = String(item.list);
  const subject = printableSubject(item);
  const isSecret = subject !== item.subject;
  await blocklist.history.record(
    { ...{ list, change: 'remove', at: now(), by, why: WHY, subjects: [subject], run } },
    { edits: isSecret ? [] : [editOfRemoval(item)] },
  );
  return (await blocklist.bulk.removeUnchanged(item)) ? undefined : 'not removed: it was changed in the meantime';
}

async function register(list: string, { blocklist, by, now }: Repairer): Promise<undefined> {
  await blocklist.history.record({ list, change: 'list-created', at: now(), by, why: WHY });
  await blocklist.lists.create({ name: list, createdBy: by, createdAt: now() });
}
