import { isExpired, parseEntry, type StoredEntry } from '../../blocklist/entry.ts';
import type { HistoryStore } from '../../blocklist/records.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { HISTORY_DAYS } from '../../blocklist/table.ts';
import type { Finding } from './finding.ts';

/** About 100 MB of subjects; a longer history is not compared. */
export const MAX_SUBJECTS = 1_000_000;

/** Yields entries that differ from what the commands last wrote, as far as the history goes back. */
export async function* manualEdits(
  list: string,
  { entries, history }: Pick<Blocklist, 'entries' | 'history'>,
  nowMs: number,
): AsyncGenerator<Finding> {
  const recorded = await lastActions(list, history);
  if (recorded === undefined) {
    yield note(list, `the history of this list names more than ${MAX_SUBJECTS} subjects, and was not compared`);
    return;
  }
  const keptSince = new Date(nowMs - HISTORY_DAYS * 86_400_000).toISOString();
  for await (const item of entries.ofList(list)) {
    const parsed = parseEntry(item);
    if ('problem' in parsed || isExpired(parsed.entry, nowMs / 1000)) continue;
    if ((parsed.entry.createdAt ?? keptSince) < keptSince) continue;
    const problem = whyByHand(parsed.entry, recorded);
    if (problem !== undefined) yield { ...note(list, problem), subject: parsed.entry.subject };
  }
}

/** The last recorded action of each subject; undefined if there are too many subjects. */
async function lastActions(list: string, history: Pick<HistoryStore, 'of'>): Promise<Map<string, string> | undefined> {
  const actions = new Map<string, string>();
  for await (const { change, subjects = [], action } of history.of(list)) {
    if (change !== 'put' && change !== 'remove') continue;
    for (const subject of subjects)
      if (!actions.has(subject)) actions.set(subject, change === 'put' ? (action ?? '') : change);
    if (actions.size > MAX_SUBJECTS) return undefined;
  }
  return actions;
}

function whyByHand({ subject, action }: StoredEntry, recorded: ReadonlyMap<string, string>): string | undefined {
  const last = recorded.get(subject);
  if (last === undefined) return 'is not in the history: written by hand';
  if (last === 'remove') return 'was removed by a command and has been written by hand since';
  return last === '' || last === action
    ? undefined
    : `was written as ${last} by a command and has been changed by hand since`;
}

function note(list: string, problem: string): Finding {
  return { id: 'by-hand', subject: '', list, problem };
}
