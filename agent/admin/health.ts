import { backendProblems } from './backend-problem.ts';
import { totalDecisions } from './decision-totals.ts';
import { type DenySurge, denySurge } from './deny-surge.ts';
import type { HealthFacts, Problem } from './problem.ts';
import { updatesProblems } from './updates-problem.ts';

/**
 * What an operator needs to know first, from the worst to the best. `unused`: no request has been checked yet; `starting`:
 * what is missing is missing because the agent has just started.
 */
export type Condition = 'not ready' | 'degraded' | 'starting' | 'unused' | 'ready';

/** The condition of this agent, and its problems. */
export interface Health {
  readonly condition: Condition;
  /** Ready while it listens, whatever the state of the backend. */
  readonly isReady: boolean;
  /** Problems that do not make the agent unready: without it there would be no decisions at all. */
  readonly problems: readonly Problem[];
  /** Much more is denied than usual, and not because the backend fails. */
  readonly surge?: DenySurge;
}

export function health(facts: HealthFacts): Health {
  const problems = [...backendProblems(facts), ...updatesProblems(facts), ...reloadProblems(facts)];
  // while the policy denies, it is the backend that has to be looked at
  const surge = problems.some(({ about }) => about === 'backend') ? undefined : denySurge(facts);
  return {
    condition: conditionOf(facts, problems),
    isReady: facts.listening.length > 0,
    problems,
    ...(surge !== undefined && { surge }),
  };
}

/** One line: `ready`, `starting: …`, `degraded: …` or `not ready`. */
export function healthText({ condition, problems }: Health): string {
  if (condition === 'unused') return 'ready';
  return problems.length === 0 || condition === 'not ready'
    ? condition
    : `${condition}: ${problems.map(problemText).join('; ')}`;
}

export function problemText({ effect, cause }: Problem): string {
  return `${effect}: ${cause}`;
}

/** Why the agent is degraded, one text for each problem; none where it is not. */
export function degradedTexts({ condition, problems }: Health): string[] {
  return condition === 'degraded' ? problems.map(problemText) : [];
}

/** The begin of the oldest problem. */
export function degradedSince({ condition, problems }: Health): number | undefined {
  const known = problems.flatMap(({ sinceMs }) => sinceMs ?? []);
  return condition !== 'degraded' || known.length === 0 ? undefined : Math.min(...known);
}

function conditionOf(facts: HealthFacts, problems: readonly Problem[]): Condition {
  if (facts.listening.length === 0) return 'not ready';
  if (problems.some(({ isStarting = false }) => !isStarting)) return 'degraded';
  if (problems.length > 0) return 'starting';
  return totalDecisions(facts) === 0 ? 'unused' : 'ready';
}

function reloadProblems({ reloads: { lastError, lastErrorAtMs } }: HealthFacts): Problem[] {
  if (lastError === undefined) return [];
  return [
    {
      effect: 'the previous configuration stays in force, and a restart would fail',
      cause: 'the last reload failed',
      about: 'reloads',
      ...(lastErrorAtMs !== undefined && { sinceMs: lastErrorAtMs }),
      lastError: { text: lastError },
      advice: 'correct what the error names, then',
      command: 'systemctl reload haverdict',
      runbook: 'HaverdictReloadFailed',
    },
  ];
}
