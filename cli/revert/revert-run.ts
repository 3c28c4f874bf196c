import pLimit from 'p-limit';
import type { Edit } from '../../blocklist/records.ts';
import type { BulkStore, Item, Key } from '../../blocklist/store.ts';
import type { RunHistory } from '../bulk/run-history.ts';
import { type StepBack, stepBack } from './step-back.ts';

const WRITES_AT_ONCE = 16;

/** A step, and the subject that it is about. */
export type Planned = StepBack & { readonly subject: string };

/** Which edits would be taken back, one part of a run after the other; reads the table as it is now. */
export async function planned(
  bulk: Pick<BulkStore, 'read'>,
  list: string,
  edits: readonly Edit[],
  { nowMs, refusal }: { readonly nowMs: number; readonly refusal: (entry: Item) => string | undefined },
): Promise<Planned[]> {
  const items = new Map(
    (await bulk.read(edits.map(({ subject }) => ({ subject, list })))).map((item) => [String(item.subject), item]),
  );
  return edits.map((edit): Planned => {
    const { subject } = edit;
    const step = stepBack(edit, list, items.get(subject), nowMs / 1000);
    const why = step.kind === 'put' ? refusal(step.entry) : undefined;
    return { subject, ...(why === undefined ? step : { kind: 'keep', why }) };
  });
}

/** Takes the steps unless an item has changed since it was read; resolves with what was done. */
export async function takeSteps(
  bulk: Pick<BulkStore, 'putUnchanged' | 'removeUnchanged'>,
  run: RunHistory,
  steps: readonly Planned[],
  done: (key: Key) => void,
): Promise<Planned[]> {
  const limit = pLimit(WRITES_AT_ONCE);
  const wasOf = new Map<unknown, Item | undefined>();
  const puts = steps.flatMap((step) => (step.kind === 'put' ? [step] : []));
  for (const { entry, was } of puts) wasOf.set(entry, was);
  const removals = steps.flatMap((step) => (step.kind === 'remove' ? [step.was] : []));
  const kept = new Set<unknown>();
  const write = (item: Item, isDone: () => Promise<boolean>) =>
    limit(async () => {
      if (await isDone()) done({ subject: String(item.subject), list: String(item.list) });
      else kept.add(item.subject);
    });
  const writes: Promise<void>[] = [];
  for await (const entry of run.puts(puts)) writes.push(write(entry, () => bulk.putUnchanged(entry, wasOf.get(entry))));
  for await (const item of run.removals(removals)) writes.push(write(item, () => bulk.removeUnchanged(item)));
  await Promise.all(writes);
  return steps.map((step) =>
    kept.has(step.subject) ? { kind: 'keep', subject: step.subject, why: 'changed just now' } : step,
  );
}
