import { isDenied } from '../../contract/actions.ts';
import { REASONS } from '../../contract/policy.ts';
import { type Clock, systemClock } from '../decision/clock.ts';
import type { Decision } from '../decision/decision.ts';
import type { Totals } from './last-minute.ts';
import type { DecisionCount, Hits, RecentDeny, TopSubject } from './state.ts';
import { RecentTopSubjects, TopSubjects } from './top-subjects.ts';

/** A mutable count of equal decisions. */
export type DecisionCounter = Omit<DecisionCount, 'count'> & { count: number };

/** Bounds the time series. A configuration has at most 32 lists, but reloads can add others. */
const MAX_LISTS = 200;
const OTHER = 'other';
/** Only these reasons are counted separately: the reason of an entry is any text. */
const POLICY_REASONS: ReadonlySet<string> = new Set(REASONS);
const MAX_RECENT = 50;
/** Denies a second that are recorded one by one. */
export const MAX_RECORDED = 100;

/**
 * Statistics of the decisions since the start: counts all, and records some of the denies. Counting increments a counter
 * that the encoded decision holds; recording a deny costs more, hence the limit per second.
 */
export class DecisionStats {
  readonly #clock: Clock;
  readonly #denied: (deny: RecentDeny) => void;
  readonly #tallies = new Map<string, DecisionCounter>();
  readonly #lists = new Set<string>();
  readonly #recent: RecentDeny[] = [];
  readonly #top = new TopSubjects();
  readonly #recentTop = new RecentTopSubjects();
  #room = MAX_RECORDED;
  #roomIsDue = false;
  #recordedByEntries = 0;

  /** `denied` is called for each recorded deny. */
  constructor(clock: Clock = systemClock, denied: (deny: RecentDeny) => void = () => {}) {
    this.#clock = clock;
    this.#denied = denied;
  }

  /** Whether another deny may be recorded in this second. */
  get hasRoom(): boolean {
    return this.#room > 0;
  }

  /** The counter of decisions like this one. */
  counterOf(message: string, { action, source, reason = '', list = '' }: Decision): DecisionCounter {
    const named = {
      reason: source === 'policy' && POLICY_REASONS.has(reason) ? reason : '',
      list: this.#listName(list),
    };
    const key = [message, action, source, named.list, named.reason].join('\n');
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    const tally = { message, action, source, ...named, count: 0 };
    this.#tallies.set(key, tally);
    return tally;
  }

  /** Records a deny; `hasRoom` must be true. `client` is the address of the request, as `ip:…`, if it has one. */
  record(message: string, decision: Decision, client: string | undefined, ref: string): void {
    this.#room--;
    if (!this.#roomIsDue) {
      this.#roomIsDue = true;
      this.#clock.after(1000, () => {
        this.#roomIsDue = false;
        this.#room = MAX_RECORDED;
      });
    }
    const { action, source, reason = '', list = '', status } = decision;
    const subject = (decision.ofAddress ? client : (decision.entry ?? client)) ?? '';
    const deny = {
      atMs: this.#clock.epochMs(),
      ref,
      message,
      action,
      source,
      reason,
      list,
      ...(status === undefined ? {} : { status }),
      subject,
      ...(client === undefined ? {} : { client }),
    };
    if (this.#recent.unshift(deny) > MAX_RECENT) this.#recent.pop();
    if (list !== '') {
      this.#recordedByEntries++;
      this.#top.add(subject, list, client);
      this.#recentTop.add(subject, list, client, this.#clock.nowMs());
    }
    this.#denied(deny);
  }

  #listName(list: string): string {
    if (list === '' || this.#lists.has(list)) return list;
    if (this.#lists.size >= MAX_LISTS) return OTHER;
    this.#lists.add(list);
    return list;
  }

  get hits(): Omit<Hits, 'sinceMs'> {
    const denied = [...this.#tallies.values()].filter(({ action, list }) => list !== '' && isDenied(action));
    const all = denied.reduce((sum, { count }) => sum + count, 0);
    return { isComplete: this.#top.hasAll && this.#recordedByEntries === all, entries: this.#top.hits };
  }

  get totals(): Omit<Totals, 'decisionTime'> {
    const totals = { decisions: 0, denied: 0, byPolicy: 0 };
    for (const { action, source, count } of this.#tallies.values()) {
      totals.decisions += count;
      if (isDenied(action)) totals.denied += count;
      if (source === 'policy') totals.byPolicy += count;
    }
    return totals;
  }

  get state(): { decisions: DecisionCount[]; recent: RecentDeny[]; top: TopSubject[] } {
    return {
      decisions: [...this.#tallies.values()].filter(({ count }) => count > 0).map((tally) => ({ ...tally })),
      recent: [...this.#recent],
      top: this.#recentTop.stateAt(this.#clock.nowMs()),
    };
  }
}

/** The newest denies of several processes, newest first. */
export function newestDenies(denies: readonly RecentDeny[]): RecentDeny[] {
  return denies.toSorted((a, b) => b.atMs - a.atMs).slice(0, MAX_RECENT);
}
