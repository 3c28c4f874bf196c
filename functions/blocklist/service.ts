import type { CheckRequest, CheckResponse, Verdict } from '../../contract/check.ts';
import { candidates, formatSubject, parseSubject, SubjectError } from '../../contract/subject.ts';
import { answered, parseEntry, type StoredEntry } from './entry.ts';
import { winner } from './match.ts';
import type { Item, Key, Store } from './store.ts';

/** One line for the operator. */
export type Log = (level: 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface CheckDeps {
  readonly store: Store;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** How long a verdict may be kept at most. */
  readonly ttlSeconds: number;
}

/** Answers each subject with the entry that wins for it; one that cannot be looked up does not fail its neighbours. */
export async function check(request: CheckRequest, deps: CheckDeps): Promise<CheckResponse> {
  const covering = request.subjects.map(keyTextsOf);
  const { items, unread, failure } = await deps.store.lookup(
    keysOf(
      covering.flatMap((texts) => texts ?? []),
      request.lists,
    ),
  );
  if (failure !== undefined) deps.log('warn', 'keys not read', { keys: unread.length, problem: failure.message });

  const entries = Map.groupBy(goodEntries(items, deps.log), (entry) => entry.subject);
  const unknown = new Set(unread.map((key) => key.subject));
  const nowSeconds = deps.clock() / 1000;

  const verdicts = request.subjects.map((subject, index): Verdict => {
    const texts = covering[index];
    if (texts === undefined) return { subject, error: 'is no subject in canonical form that this function knows' };
    if (texts.some((text) => unknown.has(text))) return { subject, error: 'could not be looked up' };
    const found = texts.flatMap((text) => entries.get(text) ?? []);
    const won = winner(found, request.lists, nowSeconds);
    return { subject, entry: won === undefined ? null : answered(won) };
  });
  return { verdicts, ttl: deps.ttlSeconds };
}

/** Undefined for what is not canonical or of a kind that only a newer agent knows. */
function keyTextsOf(text: string): string[] | undefined {
  try {
    const subject = parseSubject(text);
    const isNetwork = subject.kind === 'ip' && subject.value.includes('/');
    return formatSubject(subject) === text && !isNetwork ? candidates(subject) : undefined;
  } catch (error) {
    if (error instanceof SubjectError) return undefined;
    throw error;
  }
}

/** Every subject text in every list, each key once: neighbours share most of their networks. */
function keysOf(subjects: readonly string[], lists: readonly string[]): Key[] {
  return [...new Set(subjects)].flatMap((subject) => [...new Set(lists)].map((list) => ({ subject, list })));
}

function goodEntries(items: readonly Item[], log: Log): StoredEntry[] {
  return items.flatMap((item) => {
    const parsed = parseEntry(item);
    if ('entry' in parsed) return [parsed.entry];
    log('warn', 'bad entry ignored', { subject: item.subject, list: item.list, problem: parsed.problem });
    return [];
  });
}
