import type { Known, VerdictCache } from './cache.ts';
import type { Clock } from './clock.ts';
import { type Contribution, combine } from './combine.ts';
import { DeadlineQueue } from './deadline.ts';
import type { Decision, Reason } from './decision.ts';
import type { Loader } from './loader.ts';
import { decideByPolicy, type Policy } from './policy.ts';

/** What one message asks. */
export interface Question {
  readonly policy: Policy;
  /** Canonical subjects in the order of the kinds in the configuration. */
  readonly subjects: readonly string[];
  /** Why something else that the message should have said cannot be asked. */
  readonly problem?: Reason;
}

/** Decides questions: at once when the cache knows everything, otherwise before the deadline. */
export class Engine {
  readonly #cache: VerdictCache;
  readonly #loader: Loader;
  readonly #deadlines: DeadlineQueue;
  readonly #deadlineMs: number;

  constructor(parts: { cache: VerdictCache; loader: Loader; clock: Clock }, deadlineMs: number) {
    this.#cache = parts.cache;
    this.#loader = parts.loader;
    this.#deadlines = new DeadlineQueue(parts.clock);
    this.#deadlineMs = deadlineMs;
  }

  /** A value when it is at hand, a promise only when the backend must be asked. The promise never rejects. */
  decide(question: Question, receivedAtMs: number): Decision | Promise<Decision> {
    const { subjects, policy, problem } = question;
    const contributions: (Contribution | undefined)[] = problem === undefined ? [] : [problem];
    const missing: string[] = [];
    for (const subject of subjects) {
      const known = this.#cache.get(subject, receivedAtMs);
      if (known === undefined) missing.push(subject);
      if (subjects.length === 1 && problem === undefined && known !== undefined) return alone(known, policy);
      contributions.push(known === undefined ? undefined : contributionOf(known));
    }
    const known = contributions.filter((contribution) => contribution !== undefined);
    if (missing.length === 0 || known.some(isAllowEntry)) return combine(known, policy);
    return this.#decideLater(contributions, missing, policy, receivedAtMs);
  }

  #decideLater(
    contributions: (Contribution | undefined)[],
    missing: readonly string[],
    policy: Policy,
    receivedAtMs: number,
  ): Promise<Decision> {
    const gaps = contributions.flatMap((contribution, index) => (contribution === undefined ? [index] : []));
    return new Promise((resolve) => {
      const decide = () =>
        resolve(
          combine(
            contributions.map((contribution) => contribution ?? 'timeout'),
            policy,
          ),
        );
      const cancel = this.#deadlines.add(receivedAtMs + this.#deadlineMs, decide);
      let left = gaps.length;
      this.#loader.load(missing).forEach((loading, index) => {
        loading.then((contribution) => {
          contributions[gaps[index] as number] = contribution; // one gap for each missing subject
          left--;
          if (left > 0) return;
          cancel();
          decide();
        });
      });
    });
  }
}

function isAllowEntry(contribution: Contribution): boolean {
  return typeof contribution !== 'string' && contribution.entry?.action === 'allow';
}

function alone(known: Known, policy: Policy): Decision {
  return known.type === 'verdict' ? known.decision : decideByPolicy(policy, known.reason);
}

function contributionOf(known: Known): Contribution {
  return known.type === 'verdict' ? known.decision : known.reason;
}
