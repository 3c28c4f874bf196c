import { combine } from '../../agent/decision/combine.ts';
import {
  type Decision,
  decisionOf,
  inShadowMode,
  type SubjectVerdict,
  withoutAllow,
} from '../../agent/decision/decision.ts';
import { supportedBy } from '../../agent/decision/enforcement.ts';
import { InvalidEntryLog } from '../../blocklist/invalid-entry-log.ts';
import { check } from '../../blocklist/service.ts';
import { type Item, type Key, keyName } from '../../blocklist/store.ts';
import type { Verdict } from '../../contract/check.ts';
import { missingRulesText, type Rules } from '../../contract/missing-rules.ts';
import { type ListActions, listActionProblem } from '../../contract/permitted-actions.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { type ListedItem, listedItem } from '../entries/listed-item.ts';
import { type Contender, whyItWins } from './precedence.ts';

/** A subject, and every item of the table, of any list, that can match it. */
export interface SubjectItems {
  readonly subject: string;
  readonly items: readonly Item[];
  /** Why the agent does not look it up, if it does not. */
  readonly notLookedUp?: string;
  /** What the message does with the path, if servers read its typed form differently. */
  readonly odd?: 'refuse' | 'pass';
}

/** One request: its subjects in order of precedence, and the lists of the agent. */
export interface ExplainRequest {
  readonly subjects: readonly SubjectItems[];
  readonly lists: readonly string[];
  readonly shadowLists: readonly string[];
  /** Lists that are limited to some actions. */
  readonly listActions: ListActions;
  /** What HAProxy has rules for; absent without a configuration. */
  readonly rules?: Rules;
  /** The whole message is in shadow mode. */
  readonly shadow: boolean;
  readonly nowMs: number;
}

/** An entry of the table, and whether it applies. */
export interface EntryOutcome {
  readonly asked: string;
  readonly listed: ListedItem;
  readonly state: 'wins' | 'loses' | 'expired' | 'bad' | 'not asked' | 'not counted';
  readonly why: string;
}

export interface Explanation {
  /** The decision as HAProxy gets it. */
  readonly decision: Decision;
  /** The part of the decision that HAProxy has no rule for. */
  readonly unsupported?: string;
  readonly entries: readonly EntryOutcome[];
  /** The entry that won, one of `entries`. */
  readonly winner?: EntryOutcome;
}

/** Explains a decision. Function and agent code make the decision; this only compares the entries. */
export async function explain(request: ExplainRequest): Promise<Explanation> {
  const asked = request.subjects.filter(({ notLookedUp }) => notLookedUp === undefined);
  const subjectVerdicts = (await verdictsFor(asked, request)).map((verdict, at) =>
    subjectVerdictOf(verdict, asked[at]?.odd),
  );
  const combined = combine(subjectVerdicts, { default: 'open' });
  const place = subjectVerdicts.indexOf(combined);
  const wonBy = (candidate: Candidate) =>
    candidate.asked === asked[place]?.subject && isSame(candidate.listed, combined.entry ?? '', combined.list ?? '');

  const all = request.subjects.flatMap((subject) => candidatesOf(subject, request));
  const winner = all.find(wonBy);
  const contenders = all.flatMap(({ contender }) => contender ?? []);
  const outcomes = all.map(({ asked, listed, excluded, contender }): EntryOutcome => {
    if (contender === undefined || excluded !== undefined) return { asked, listed, ...(excluded ?? NOT_ASKED) };
    if (contender === winner?.contender)
      return { asked, listed, state: 'wins', why: whyItWinsOverAll(contender, contenders) };
    return { asked, listed, state: 'loses', why: winner?.contender ? whyItWins(winner.contender, contender) : '' };
  });
  const won = outcomes.find(({ state }) => state === 'wins');
  const entries = each(outcomes);
  const { decision, missing } =
    request.rules === undefined ? { decision: combined, missing: [] } : supportedBy(request.rules, combined);
  return {
    decision: request.shadow ? inShadowMode(decision) : decision,
    ...(missing.length > 0 && { unsupported: missingRulesText(combined, missing) }),
    entries,
    ...(won && { winner: won }),
  };
}

/** Each entry once, though it may match several of the subjects: as the winner, if it is that. */
function each(outcomes: readonly EntryOutcome[]): EntryOutcome[] {
  const byKey = Map.groupBy(outcomes, ({ listed }) => keyName('item' in listed ? listed.item : listed.entry));
  return [...byKey.values()].flatMap((same) => same.find(({ state }) => state === 'wins') ?? same[0] ?? []);
}

interface Candidate {
  readonly asked: string;
  readonly listed: ListedItem;
  readonly contender?: Contender;
  readonly excluded?: Pick<EntryOutcome, 'state' | 'why'>;
}

const NOT_ASKED = { state: 'not asked', why: 'no agent looks it up' } as const;

/** Runs the code of the function on the items already read, so that decision and explanation use the same data. */
async function verdictsFor(asked: readonly SubjectItems[], request: ExplainRequest): Promise<readonly Verdict[]> {
  if (asked.length === 0 || request.lists.length === 0) return asked.map(({ subject }) => ({ subject, entry: null }));
  const items = asked.flatMap((subject) => subject.items);
  const { verdicts } = await check(
    {
      lists: [...request.lists],
      shadowLists: [...request.shadowLists],
      listActions: request.listActions,
      subjects: asked.map(({ subject }) => subject),
    },
    {
      store: { lookup: async (keys) => ({ items: itemsUnder(keys, items), unread: [], throttles: 0 }) },
      log() {},
      invalidEntryLog: new InvalidEntryLog(),
      clock: () => request.nowMs,
      ttlSeconds: 0,
    },
  );
  return verdicts;
}

function itemsUnder(keys: readonly Key[], items: readonly Item[]): Item[] {
  const wanted = new Set(keys.map(keyName));
  const found = new Map(items.map((item) => [keyName(item), item]));
  return [...found].flatMap(([name, item]) => (wanted.has(name) ? [item] : []));
}

function subjectVerdictOf({ entry }: Verdict, odd: SubjectItems['odd']): SubjectVerdict {
  if (entry === undefined || odd === 'refuse') return 'bad_subject';
  const decision = decisionOf(entry, 'backend');
  return odd === 'pass' ? withoutAllow(decision) : decision;
}

function candidatesOf({ subject, items, notLookedUp, odd }: SubjectItems, request: ExplainRequest): Candidate[] {
  const place = request.subjects.findIndex((one) => one.subject === subject);
  return items.map((item): Candidate => {
    const listed = listedItem(item, request.nowMs / 1000);
    const candidate = { asked: subject, listed };
    if (listed.state === 'bad') return { ...candidate, excluded: { state: 'bad', why: listed.problem } };
    const { list, action, subject: own } = listed.entry;
    if (notLookedUp !== undefined) return { ...candidate, excluded: { state: 'not asked', why: notLookedUp } };
    if (!request.lists.includes(list))
      return { ...candidate, excluded: { state: 'not asked', why: `list ${list} is not looked in` } };
    if (listed.state === 'expired')
      return { ...candidate, excluded: { state: 'expired', why: 'it has expired and is not deleted yet' } };
    const beyond = listActionProblem(listed.entry, request.listActions);
    if (beyond !== undefined) return { ...candidate, excluded: { state: 'not counted', why: beyond } };
    const inShadow = request.shadowLists.includes(list);
    if (odd === 'refuse')
      return { ...candidate, excluded: { state: 'not asked', why: 'a path with this spelling is refused' } };
    if (odd === 'pass' && action === 'allow' && !inShadow)
      return {
        ...candidate,
        excluded: { state: 'not asked', why: 'no allow applies to a path with this spelling' },
      };
    return {
      ...candidate,
      contender: { asked: subject, place, subject: own, list, action: inShadow ? 'log' : action, inShadow },
    };
  });
}

function whyItWinsOverAll(winner: Contender, contenders: readonly Contender[]): string {
  const reasons = contenders.filter((other) => other !== winner).map((loser) => whyItWins(winner, loser));
  return reasons.length === 0 ? 'the only entry that applies' : [...new Set(reasons)].join('; ');
}

function isSame(listed: ListedItem, subject: string, list: string): boolean {
  return listed.state === 'good' && redactedSubject(listed.entry.subject) === subject && listed.entry.list === list;
}
