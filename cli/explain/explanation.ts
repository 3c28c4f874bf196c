import { combine } from '../../agent/decision/combine.ts';
import {
  type Decision,
  decisionOf,
  inShadowMode,
  type SubjectVerdict,
  withoutAllow,
} from '../../agent/decision/decision.ts';
import { BadEntries } from '../../blocklist/bad-entries.ts';
import { check } from '../../blocklist/service.ts';
import type { Item, Key } from '../../blocklist/store.ts';
import type { Verdict } from '../../contract/check.ts';
import { type ListActions, listActionProblem } from '../../contract/list-actions.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { type ListedItem, listedItem } from '../entries/items.ts';
import { type Contender, whyItWins } from './precedence.ts';

/** A subject, and every item of the table that covers it, in whatever list. */
export interface AskedSubject {
  readonly subject: string;
  readonly items: readonly Item[];
  /** Why no agent asks about it, if none does. */
  readonly unasked?: string;
  /** It is a path that servers read differently, as it was typed, and what the message does with those. */
  readonly odd?: 'refuse' | 'pass';
}

/** One request: its subjects in the order of their precedence, and what the agent is told about lists. */
export interface Asking {
  readonly subjects: readonly AskedSubject[];
  readonly lists: readonly string[];
  readonly shadowLists: readonly string[];
  /** Those that are held to actions. */
  readonly listActions: ListActions;
  /** The whole message is on trial. */
  readonly shadow: boolean;
  readonly nowMs: number;
}

/** An entry of the table, and what became of it. */
export interface Considered {
  readonly asked: string;
  readonly listed: ListedItem;
  readonly state: 'wins' | 'loses' | 'expired' | 'bad' | 'not asked' | 'not counted';
  readonly why: string;
}

export interface Explanation {
  readonly decision: Decision;
  readonly entries: readonly Considered[];
  /** The one that won; it is among the entries. */
  readonly winner?: Considered;
}

/** Says what is decided and why. The function's and the agent's own code decide; this only compares what they found. */
export async function explain(asking: Asking): Promise<Explanation> {
  const asked = asking.subjects.filter(({ unasked }) => unasked === undefined);
  const contributions = (await verdictsFor(asked, asking)).map((verdict, at) =>
    contributionOf(verdict, asked[at]?.odd),
  );
  const combined = combine(contributions, { default: 'open' });
  const place = contributions.indexOf(combined);
  const wonBy = (candidate: Candidate) =>
    candidate.asked === asked[place]?.subject && isSame(candidate.listed, combined.entry ?? '', combined.list ?? '');

  const all = asking.subjects.flatMap((subject) => candidatesOf(subject, asking));
  const winner = all.find(wonBy);
  const contenders = all.flatMap(({ contender }) => contender ?? []);
  const entries = all.map(({ asked, listed, outOfPlay, contender }): Considered => {
    if (contender === undefined || outOfPlay !== undefined) return { asked, listed, ...(outOfPlay ?? NOT_ASKED) };
    if (contender === winner?.contender)
      return { asked, listed, state: 'wins', why: whyOverAll(contender, contenders) };
    return { asked, listed, state: 'loses', why: winner?.contender ? whyItWins(winner.contender, contender) : '' };
  });
  const won = entries.find(({ state }) => state === 'wins');
  return { decision: asking.shadow ? inShadowMode(combined) : combined, entries, ...(won && { winner: won }) };
}

interface Candidate {
  readonly asked: string;
  readonly listed: ListedItem;
  readonly contender?: Contender;
  readonly outOfPlay?: Pick<Considered, 'state' | 'why'>;
}

const NOT_ASKED = { state: 'not asked', why: 'no agent looks it up' } as const;

/** The same code as the function's, on what was read already, so that answer and explanation are of one moment. */
async function verdictsFor(asked: readonly AskedSubject[], asking: Asking): Promise<readonly Verdict[]> {
  if (asked.length === 0 || asking.lists.length === 0) return asked.map(({ subject }) => ({ subject, entry: null }));
  const items = asked.flatMap((subject) => subject.items);
  const { verdicts } = await check(
    {
      lists: [...asking.lists],
      shadowLists: [...asking.shadowLists],
      listActions: asking.listActions,
      subjects: asked.map(({ subject }) => subject),
    },
    {
      store: { lookup: async (keys) => ({ items: itemsUnder(keys, items), unread: [], throttles: 0 }) },
      log() {},
      badEntries: new BadEntries(),
      clock: () => asking.nowMs,
      ttlSeconds: 0,
    },
  );
  return verdicts;
}

function itemsUnder(keys: readonly Key[], items: readonly Item[]): Item[] {
  const wanted = new Set(
    keys.map(
      ({ subject, list }) => `${subject}
${list}`,
    ),
  );
  const found = new Map(
    items.map((item) => [
      `${item.subject}
${item.list}`,
      item,
    ]),
  );
  return [...found].flatMap(([name, item]) => (wanted.has(name) ? [item] : []));
}

function contributionOf({ entry }: Verdict, odd: AskedSubject['odd']): SubjectVerdict {
  if (entry === undefined || odd === 'refuse') return 'bad_subject';
  const decision = decisionOf(entry, 'backend');
  return odd === 'pass' ? withoutAllow(decision) : decision;
}

function candidatesOf({ subject, items, unasked, odd }: AskedSubject, asking: Asking): Candidate[] {
  const place = asking.subjects.findIndex((one) => one.subject === subject);
  return items.map((item): Candidate => {
    const listed = listedItem(item, asking.nowMs / 1000);
    const candidate = { asked: subject, listed };
    if (listed.state === 'bad') return { ...candidate, outOfPlay: { state: 'bad', why: listed.problem } };
    const { list, action, subject: own } = listed.entry;
    if (unasked !== undefined) return { ...candidate, outOfPlay: { state: 'not asked', why: unasked } };
    if (!asking.lists.includes(list))
      return { ...candidate, outOfPlay: { state: 'not asked', why: `list ${list} is not looked in` } };
    if (listed.state === 'expired')
      return { ...candidate, outOfPlay: { state: 'expired', why: 'it has expired and is not deleted yet' } };
    const beyond = listActionProblem(listed.entry, asking.listActions);
    if (beyond !== undefined) return { ...candidate, outOfPlay: { state: 'not counted', why: beyond } };
    const inShadow = asking.shadowLists.includes(list);
    if (odd === 'refuse')
      return { ...candidate, outOfPlay: { state: 'not asked', why: 'a path with this spelling is refused' } };
    if (odd === 'pass' && action === 'allow' && !inShadow)
      return {
        ...candidate,
        outOfPlay: { state: 'not asked', why: 'no allow applies to a path with this spelling' },
      };
    return {
      ...candidate,
      contender: { asked: subject, place, subject: own, list, action: inShadow ? 'log' : action, inShadow },
    };
  });
}

function whyOverAll(winner: Contender, contenders: readonly Contender[]): string {
  const reasons = contenders.filter((other) => other !== winner).map((loser) => whyItWins(winner, loser));
  return reasons.length === 0 ? 'the only entry that applies' : [...new Set(reasons)].join('; ');
}

function isSame(listed: ListedItem, subject: string, list: string): boolean {
  return listed.state === 'good' && redactedSubject(listed.entry.subject) === subject && listed.entry.list === list;
}
