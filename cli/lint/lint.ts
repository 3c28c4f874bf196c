import { parseEntry } from '../../blocklist/entry.ts';
import { type Blocklist, type BulkStore, type Item, keyName } from '../../blocklist/store.ts';
import { isReserved } from '../../blocklist/table.ts';
import { LIST_NAME } from '../../contract/check.ts';
import { missingRules, missingRulesText, type Rules } from '../../contract/missing-rules.ts';
import { type ListActions, listActionProblem } from '../../contract/permitted-actions.ts';
import { ExternalSort } from '../bulk/external-sort.ts';
import { invisibleCharacterProblem } from '../guards/invisible-characters.ts';
import { lookedUpInstead } from '../guards/ipv6-prefix.ts';
import { AllowIndex, MAX_ALLOWS } from './allow-index.ts';
import type { Finding } from './finding.ts';
import { itemFinding, printableSubject } from './item-check.ts';
import { manualEdits } from './manual-edits.ts';

export interface LintOptions {
  /** Only this list; its entries are compared with the allows of all lists. */
  readonly list?: string;
  /** Also compares with the history. */
  readonly hand: boolean;
  /** The setting `ipv6Prefix` of the agents. */
  readonly ipv6Prefix: number;
  /** The restricted lists of the agents. */
  readonly listActions: ListActions;
  /** What their HAProxys have rules for; absent without a configuration. */
  readonly rules?: Rules;
  readonly nowMs: number;
}

/** Further lists are not compared with the registered ones. */
const MAX_LISTS = 10_000;

/** Yields all findings about a table that is scanned once; keeps only the allows and the list names in memory. */
export async function* lint(blocklist: Blocklist, options: LintOptions): AsyncGenerator<Finding> {
  const all = new ExternalSort<Item>();
  try {
    yield* findings(blocklist, all, options);
  } finally {
    await all.close();
  }
}

async function* findings(
  blocklist: Blocklist,
  all: ExternalSort<Item>,
  { list, hand, ipv6Prefix, listActions, rules, nowMs }: LintOptions,
): AsyncGenerator<Finding> {
  const nowSeconds = nowMs / 1000;
  const scan = list === undefined ? keptIn(all, blocklist.bulk.scan()) : blocklist.bulk.scan();
  const allows = await AllowIndex.in(scan, listActions, nowSeconds);
  if (!allows.complete)
    yield { id: 'shadowed', subject: '', list: '', problem: `only ${MAX_ALLOWS} allows were compared: there are more` };
  const lists = new Set<string>();
  for await (const item of list === undefined ? itemsOf(all) : blocklist.entries.ofList(list)) {
    const name = String(item.list);
    if (!isReserved(item.subject) && LIST_NAME.test(name) && lists.size < MAX_LISTS) lists.add(name);
    yield* unseenIn(item);
    const found = itemFinding(item, nowSeconds);
    if (found !== undefined) yield await withDuplicate(found, blocklist.bulk);
    else
      yield* neverAsked(item, ipv6Prefix) ??
        notCounted(item, listActions) ??
        shadowOf(item, allows) ??
        unsupported(item, rules) ??
        [];
  }
  for (const name of [...lists].sort()) {
    if ((await blocklist.lists.find(name)) === undefined) yield unregistered(name);
    if (hand) yield* manualEdits(name, blocklist, nowMs);
  }
}

/** Keeps what is scanned, as a second scan would cost as much again. */
async function* keptIn(all: ExternalSort<Item>, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of items) {
    const { edits: _bytes, ...kept } = item; // of a record, which JSON would make long
    await all.add(keyName(item), isReserved(item.subject) ? kept : item);
    yield item;
  }
}

async function* itemsOf(all: ExternalSort<Item>): AsyncGenerator<Item> {
  for await (const { value } of all.sorted()) yield value;
}

function* unseenIn(item: Item): Generator<Finding> {
  const problem = isReserved(item.subject) ? undefined : invisibleCharacterProblem(item);
  if (problem !== undefined) yield { id: 'unseen', subject: printableSubject(item), list: String(item.list), problem };
}

function neverAsked(item: Item, ipv6Prefix: number): [Finding] | undefined {
  const [subject, list] = [String(item.subject), String(item.list)];
  const instead = isReserved(subject) ? undefined : lookedUpInstead(subject, ipv6Prefix);
  if (instead === undefined) return undefined;
  const problem = `is never looked up with ipv6Prefix ${ipv6Prefix}, as configured here: "${instead}" is`;
  return [{ id: 'never-asked', subject, list, problem }];
}

function notCounted(item: Item, listActions: ListActions): [Finding] | undefined {
  const parsed = parseEntry(item);
  const problem = 'entry' in parsed ? listActionProblem(parsed.entry, listActions) : undefined;
  if (problem === undefined) return undefined;
  return [{ id: 'not-counted', subject: printableSubject(item), list: String(item.list), problem }];
}

function unsupported(item: Item, rules: Rules | undefined): [Finding] | undefined {
  const parsed = parseEntry(item);
  if (rules === undefined || !('entry' in parsed)) return undefined;
  const missing = missingRules(parsed.entry, rules);
  if (missing.length === 0) return undefined;
  const problem = missingRulesText(parsed.entry, missing);
  return [{ id: 'unsupported', subject: printableSubject(item), list: String(item.list), problem }];
}

function shadowOf(item: Item, allows: AllowIndex): [Finding] | undefined {
  const parsed = parseEntry(item);
  const found = 'entry' in parsed ? allows.over(parsed.entry) : undefined;
  return found === undefined ? undefined : [found];
}

/** Adds whether the canonical form of an invalid entry exists as well. */
async function withDuplicate(found: Finding, bulk: Pick<BulkStore, 'read'>): Promise<Finding> {
  const { repair, ...rest } = found;
  if (repair?.how !== 'rewrite' || (await bulk.read([repair.entry])).length === 0) return found;
  return { ...rest, id: 'duplicate', problem: `${found.problem}; an entry is already there: remove this one` };
}

function unregistered(list: string): Finding {
  return {
    id: 'unregistered-list',
    subject: '',
    list,
    problem: 'is not registered',
    repair: { how: 'register', list },
  };
}
