import { redactedSubject } from '../../contract/redact.ts';
import { jsonOf } from '../entries/items.ts';
import { expiryText } from '../options/expiry.ts';
import { aligned, type Cell } from '../output/output.ts';
import { effectOf } from './effect.ts';
import type { Asking, Considered, Explanation } from './explanation.ts';

/** The table of entries that stands below the explanation. */
export const COLUMNS = ['SUBJECT', 'LIST', 'ACTION', 'EXPIRES', 'STATE', 'WHY'] as const;
const MARKS = {
  wins: 'good',
  bad: 'bad',
  loses: 'quiet',
  expired: 'quiet',
  'not asked': 'quiet',
  'not counted': 'bad',
} as const;

const ODD = {
  refuse: 'servers read it differently as it is spelled, and oddPaths refuses it',
  pass: 'servers read it differently as it is spelled; oddPaths lets it pass, and no allow for it counts',
} as const;

/** The explanation for people: what happens, and by which entry. */
export function explanationLines(
  { subjects, lists }: Asking,
  { decision, unobeyed, entries, winner }: Explanation,
): string[] {
  const named = subjects.map(({ subject }) => subject).join(', ');
  return [
    `${named} ${effectOf(decision)}`,
    ...(unobeyed === undefined ? [] : [`  ${unobeyed}`]),
    ...subjects.flatMap(({ subject, unasked }) => (unasked === undefined ? [] : [`  ${subject}: ${unasked}`])),
    ...subjects.flatMap(({ subject, odd }) => (odd === undefined ? [] : [`  ${subject}: ${ODD[odd]}`])),
    ...subjects.flatMap(({ subject }) => told(subject).map((as) => `  ${subject}: logs and the agent name it ${as}`)),
    ...(winner === undefined ? [] : factsOf(winner).map((facts) => aligned(['', ...facts], [0, 6]))),
    '',
    ...(entries.length === 0 ? [`No entry in any list covers it; asked ${lists.join(', ')}.`] : []),
  ];
}

/** The same for programs. */
export function explanationAsJson(asking: Asking, { decision, unobeyed, entries, winner }: Explanation) {
  const { source: _source, ofAddress: _ofAddress, unlessAllowed: _unlessAllowed, ...rest } = decision;
  return {
    subjects: asking.subjects.map(({ subject, unasked }) => ({
      subject,
      told: redactedSubject(subject),
      asked: unasked === undefined,
    })),
    lists: asking.lists,
    shadowLists: asking.shadowLists,
    listActions: asking.listActions,
    decision: rest,
    effect: effectOf(decision),
    unobeyed: unobeyed ?? null,
    why: winner?.why ?? null,
    entries: entries.map(({ asked, listed, state, why }) => ({
      ...jsonOf(listed),
      ...{ asked, state, wins: state === 'wins', why },
    })),
  };
}

/** The name of a secret wherever it may be read; none for a subject that is told as it is. */
function told(subject: string): string[] {
  const as = redactedSubject(subject);
  return as === subject ? [] : [as];
}

function factsOf({ listed, why }: Considered): [string, string][] {
  if (listed.state === 'bad') return [];
  const { subject, list, action, expiresAt, createdBy, createdAt, reason, note } = listed.entry;
  const facts: [string, string | undefined][] = [
    ['entry', `${action} ${subject} in ${list}`],
    ['why', why],
    ['until', expiryText(expiresAt)],
    ['by', createdBy === undefined ? 'unknown: nobody signed it' : `${createdBy}${createdAt ? `, ${createdAt}` : ''}`],
    ['reason', reason],
    ['note', note],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
}

/** An entry under COLUMNS. */
export function rowOf({ listed, state, why }: Considered): Cell[] {
  const marked = { text: state, mark: MARKS[state] };
  if (listed.state === 'bad') return [String(listed.item.subject), String(listed.item.list), '', '', marked, why];
  const { subject, list, action, expiresAt } = listed.entry;
  return [subject, list, action, expiryText(expiresAt), marked, why];
}
