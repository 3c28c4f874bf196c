import type { RecordedChange } from '../../blocklist/records.ts';
import { expiryText } from '../options/expiry.ts';

export const CHANGE_COLUMNS = ['AT', 'LIST', 'CHANGE', 'SUBJECTS', 'BY', 'RUN', 'WHY', 'SOURCE'] as const;

/** The cells of a history record under CHANGE_COLUMNS. */
export function changeCells(change: RecordedChange): string[] {
  const { at, list, by, run = '', why = '', source = '' } = change;
  return [at, list, doneText(change), subjectsText(change), by, run, why, source];
}

function doneText({ change, action, until }: RecordedChange): string {
  const end = until === undefined ? '' : ` until ${expiryText(until)}`;
  return action === undefined ? change : `${change} ${action}${end}`;
}

function subjectsText({ subjects = [], totals }: RecordedChange): string {
  const [first, ...more] = subjects;
  if (first !== undefined) return more.length === 0 ? first : `${first} and ${more.length} more`;
  return Object.entries(totals ?? {})
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}
