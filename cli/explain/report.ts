import { redactedSubject } from '../../contract/redact.ts';
import { jsonOf } from '../entries/listed-item.ts';
import { expiryText } from '../options/expiry.ts';
import { aligned, type Cell } from '../output/table.ts';
import { effectOf } from './effect.ts';
import type { EntryOutcome, ExplainRequest, Explanation } from './explanation.ts';

/** The columns of the table of entries below the explanation. */
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
  refuse: 'servers may read this spelling differently, and oddPaths is refuse',
  pass: 'servers may read this spelling differently; oddPaths is pass, so no allow applies',
} as const;

/** The explanation as text: what happens, and because of which entry. */
export function explanationLines(
  { subjects, lists }: ExplainRequest,
  { decision, unsupported, entries, winner }: Explanation,
): string[] {
  const named = subjects.map(({ subject }) => subject).join(', ');
  return [
    `${named} ${effectOf(decision)}`,
    ...(unsupported === undefined ? [] : [`  ${unsupported}`]),
    ...subjects.flatMap(({ subject, notLookedUp }) =>
      notLookedUp === undefined ? [] : [`  ${subject}: ${notLookedUp}`],
    ),
    ...subjects.flatMap(({ subject }) => {
      const network = networkOf(subject);
      return network === undefined
        ? []
        : [`  ${subject}: addresses in it may have entries of their own: haverdict list LIST --within ${network}`];
    }),
    ...subjects.flatMap(({ subject, odd }) => (odd === undefined ? [] : [`  ${subject}: ${ODD[odd]}`])),
    ...subjects.flatMap(({ subject }) => digestsOf(subject).map((as) => `  ${subject}: shown in logs as ${as}`)),
    ...(winner === undefined ? [] : factsOf(winner).map((facts) => aligned(['', ...facts], [0, 6]))),
    '',
    ...(entries.length === 0 ? [`No entry in any list matches; looked in ${lists.join(', ')}.`] : []),
  ];
}

/** The explanation for `--json`. */
export function explanationAsJson(request: ExplainRequest, { decision, unsupported, entries, winner }: Explanation) {
  const { source: _source, ofAddress: _ofAddress, unlessAllowed: _unlessAllowed, ...rest } = decision;
  return {
    subjects: request.subjects.map(({ subject, notLookedUp }) => ({
      subject,
      told: redactedSubject(subject),
      asked: notLookedUp === undefined,
      network: networkOf(subject),
    })),
    lists: request.lists,
    shadowLists: request.shadowLists,
    listActions: request.listActions,
    decision: rest,
    effect: effectOf(decision),
    unsupported: unsupported ?? null,
    why: winner?.why ?? null,
    entries: entries.map(({ asked, listed, state, why }) => ({
      ...jsonOf(listed),
      ...{ asked, outcome: state, why },
    })),
  };
}

/** The network in a subject that is one; an explanation has the entries that match all of it. */
function networkOf(subject: string): string | undefined {
  const [, network] = /^ip:(.*\/.*)$/.exec(subject) ?? [];
  return network;
}

/** The digest of a secret subject; empty for any other subject. */
function digestsOf(subject: string): string[] {
  const as = redactedSubject(subject);
  return as === subject ? [] : [as];
}

function factsOf({ listed, why }: EntryOutcome): [string, string][] {
  if (listed.state === 'bad') return [];
  const { subject, list, action, expiresAt, createdBy, createdAt, reason, note } = listed.entry;
  const facts: [string, string | undefined][] = [
    ['entry', `${action} ${subject} in ${list}`],
    ['why', why],
    ['until', expiryText(expiresAt)],
    ['by', createdBy === undefined ? 'unknown' : `${createdBy}${createdAt ? `, ${createdAt}` : ''}`],
    ['reason', reason],
    ['note', note],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
}

/** An entry under COLUMNS. */
export function rowOf({ listed, state, why }: EntryOutcome): Cell[] {
  const marked = { text: state, mark: MARKS[state] };
  if (listed.state === 'bad') return [String(listed.item.subject), String(listed.item.list), '', '', marked, why];
  const { subject, list, action, expiresAt } = listed.entry;
  return [subject, list, action, expiryText(expiresAt), marked, why];
}
