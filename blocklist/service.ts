import type { CheckRequest, CheckResponse, Verdict } from '../contract/check.ts';
import { isPermitted } from '../contract/permitted-actions.ts';
import { formatSubject, isClientChosen, lookupKeys, parseLookupSubject, SubjectError } from '../contract/subject.ts';
import { readEntry } from './as-meant.ts';
import { type ShadowEntry, type StoredEntry, toContractEntry } from './entry.ts';
import { type InvalidEntryLog, isMistaken, type Log } from './invalid-entry-log.ts';
import { winner } from './precedence.ts';
import type { EntryStore, Key } from './store.ts';

/** The counts of one check, without any data of visitors. */
export interface CheckFacts {
  readonly lookups: number;
  readonly matches: number;
  /** Subjects without an answer, whatever the reason. */
  readonly failures: number;
  readonly keys: number;
  readonly throttles: number;
  /** Items with a mistake, ignored or read as they are meant. */
  readonly badEntries: number;
  readonly tableMs: number;
}

export interface CheckDeps {
  readonly store: Pick<EntryStore, 'lookup'>;
  readonly log: Log;
  readonly measure?: (facts: CheckFacts) => void;
  readonly invalidEntryLog: InvalidEntryLog;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** How long a verdict may be kept at most. */
  readonly ttlSeconds: number;
}

/** Keys one check reads at most: 200 calls to DynamoDB. 100 IPv6 addresses in 32 lists would be 160,000. */
export const MAX_KEYS = 20_000;

/** The lookup keys of a subject, or why it cannot be looked up. */
type Plan = { readonly texts: readonly string[] } | Pick<Verdict, 'error' | 'overload'>;

/** Answers each subject with its winning entry; a subject that cannot be looked up does not fail the others. */
export async function check(request: CheckRequest, deps: CheckDeps): Promise<CheckResponse> {
  const lists = [...new Set(request.lists)];
  const plans = plansFor(inOrder(request.subjects), lists.length);
  const keys = keysOf(plans, lists);
  const askedMs = deps.clock();
  const { items, unread, throttles, failure } = await deps.store.lookup(keys);
  const answeredMs = deps.clock();

  const shadowLists = new Set(request.shadowLists);
  const read = items.map((item) => {
    const one = readEntry(item);
    deps.invalidEntryLog.report(item, one, deps.log);
    return one;
  });
  const good = read.flatMap((one) => ('entry' in one ? [one.entry] : []));
  const isCounted = (entry: StoredEntry) => isPermitted(request.listActions ?? {}, entry);
  const counted = good.filter(isCounted).map((entry) => (shadowLists.has(entry.list) ? asShadow(entry) : entry));
  const entries = Map.groupBy(counted, (entry) => entry.subject);
  const beyond = Map.groupBy(
    good.filter((entry) => !isCounted(entry)),
    (entry) => entry.subject,
  );
  const unknown = new Set(unread.map((key) => key.subject));
  const unreadVerdict = { error: 'could not be looked up', ...(failure?.isThrottled && { overload: true }) };
  const verdicts = request.subjects.map((subject): Verdict => {
    const plan = plans.get(subject) as Plan; // one for each subject
    if (!('texts' in plan)) return { subject, ...plan };
    if (plan.texts.some((text) => unknown.has(text))) return { subject, ...unreadVerdict };
    const of = (entries: ReadonlyMap<string, readonly StoredEntry[]>) =>
      plan.texts.flatMap((text) => entries.get(text) ?? []);
    const wonBy = (found: readonly StoredEntry[]) => winner(found, lists, answeredMs / 1000);
    const found = of(entries);
    const won = wonBy(found);
    const isAllowedPath = won?.action === 'allow' && subject.startsWith('path:');
    const next = isAllowedPath ? wonBy(found.filter(({ action }) => action !== 'allow')) : undefined;
    const lost = wonBy(of(beyond));
    return {
      subject,
      entry:
        won === undefined ? null : { ...toContractEntry(won), ...(next && { unlessAllowed: toContractEntry(next) }) },
      ...(lost && { notCounted: { subject: lost.subject, list: lost.list, action: lost.action } }),
    };
  });

  deps.measure?.({
    lookups: verdicts.length,
    matches: verdicts.filter(({ entry }) => entry).length,
    failures: verdicts.filter(({ error }) => error !== undefined).length,
    keys: keys.length,
    throttles,
    badEntries: read.filter(isMistaken).length,
    tableMs: answeredMs - askedMs,
  });
  if (failure !== undefined && unread.length === keys.length) throw failure;
  if (failure !== undefined) deps.log('warn', 'keys not read', { keys: unread.length, problem: failure.message });
  return { verdicts, ttl: deps.ttlSeconds };
}

/** Addresses first: values that clients choose must not use up their keys. */
function inOrder(subjects: readonly string[]): string[] {
  const [chosen, others] = [subjects.filter(isClientChosen), subjects.filter((subject) => !isClientChosen(subject))];
  return [...others, ...chosen];
}

/**
 * What each subject needs, in the order in which it is read. Neighbours share most of their networks and wildcards, so
 * only what a subject adds counts against `MAX_KEYS`; one that does not fit leaves room for those behind it.
 */
function plansFor(subjects: readonly string[], lists: number): ReadonlyMap<string, Plan> {
  const planned = new Set<string>();
  const planOf = (subject: string): Plan => {
    const texts = keyTextsOf(subject);
    if (texts === undefined) return { error: 'is not a subject in canonical form of a known kind' };
    const added = texts.filter((text) => !planned.has(text));
    if ((planned.size + added.length) * lists > MAX_KEYS)
      return {
        error: `needs more than the limit of ${MAX_KEYS} keys per call: request fewer subjects or lists`,
        overload: true,
      };
    for (const text of added) planned.add(text);
    return { texts };
  };
  return new Map(subjects.map((subject) => [subject, planOf(subject)]));
}

/** Undefined for what is not canonical or of a kind that only a newer agent knows. */
function keyTextsOf(text: string): string[] | undefined {
  try {
    const subject = parseLookupSubject(text);
    return formatSubject(subject) === text ? lookupKeys(subject) : undefined;
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}

/** Every lookup key in every list, each once. */
function keysOf(plans: ReadonlyMap<string, Plan>, lists: readonly string[]): Key[] {
  const texts = new Set([...plans.values()].flatMap((plan) => ('texts' in plan ? plan.texts : [])));
  return [...texts].flatMap((subject) => lists.map((list) => ({ subject, list })));
}

/** Turns any entry of a list in shadow mode, an allow too, into `log`; an entry with action `log` stays as it is. */
function asShadow(entry: StoredEntry): StoredEntry | ShadowEntry {
  if (entry.action === 'log') return entry;
  const { action, status: _status, vars: _vars, ...rest } = entry;
  return { ...rest, action: 'log', shadow: action };
}
