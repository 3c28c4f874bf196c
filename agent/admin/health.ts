import { type DegradationState, policyShare } from '../decision/degradation-detector.ts';
import type { AgentState } from '../state/state.ts';

/** The readiness of this agent, and its problems. */
export interface Health {
  readonly isReady: boolean;
  /** Problems that do not make the agent unready: without it there would be no decisions at all. */
  readonly degraded: readonly Problem[];
}

export interface Problem {
  readonly text: string;
  /** The part of the state that shows more. */
  readonly about: 'backend' | 'updates' | 'reloads';
  /** Absent if nobody knows. */
  readonly sinceMs?: number;
  /** What to do first. */
  readonly advice: string;
  /** The section of docs/runbook.md. */
  readonly runbook: string;
}

export type HealthFacts = Pick<
  AgentState,
  'listening' | 'startedAtMs' | 'takenAtMs' | 'backend' | 'updates' | 'mirror' | 'degradation' | 'reloads' | 'config'
>;

const SEE_LOG = "see the agent's log: journalctl -u haverdict";

/** The agent is ready while it listens, whatever the state of the backend. */
export function health(facts: HealthFacts): Health {
  const degraded = [...backendProblems(facts), ...updatesProblems(facts), ...reloadProblems(facts)];
  return { isReady: facts.listening.length > 0, degraded };
}

/** One line: `ready`, `degraded: …` or `not ready`. */
export function healthText({ isReady, degraded }: Health): string {
  if (!isReady) return 'not ready';
  return degraded.length === 0 ? 'ready' : `degraded: ${degraded.map(({ text }) => text).join('; ')}`;
}

/** The begin of the oldest problem. */
export function degradedSince({ degraded }: Health): number | undefined {
  const known = degraded.flatMap(({ sinceMs }) => sinceMs ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

function backendProblems({ backend, degradation, config }: HealthFacts): Problem[] {
  const { sinceMs, isDegraded } = degradation;
  const down = {
    about: 'backend',
    ...(sinceMs !== undefined && { sinceMs }),
    advice: 'check that the function runs, and that this host reaches it and may call it: the last error says which',
    runbook: 'HaverdictBreakerOpen',
  } as const;
  const problems: Problem[] = [];
  if (backend.breaker === 'open')
    problems.push({ ...down, text: `the backend is failing: ${effectOf(degradation)}the circuit breaker is open` });
  if (backend.breaker === 'probing')
    problems.push({ ...down, text: `the backend failed: ${effectOf(degradation)}the circuit breaker is probing it` });
  const isDown = problems.length > 0;
  const slow = isDown ? {} : { advice: adviceFor(degradation), runbook: 'HaverdictDegraded' };
  if (isDegraded) problems.push({ ...down, ...slow, text: causeOf(degradation, config.deadlineMs) });
  return problems;
}

function updatesProblems({ updates, mirror, startedAtMs, takenAtMs, config }: HealthFacts): Problem[] {
  const { ageSeconds } = updates;
  const problems: Problem[] = [];
  if (updates.state === 'behind') {
    // It is behind from the moment on in which the proof is older than this.
    const behindForMs = ageSeconds === null ? undefined : (ageSeconds - config.cache.allowTtlSeconds) * 1000;
    const sinceMs = behindForMs === undefined ? startedAtMs : Math.max(startedAtMs, takenAtMs - behindForMs);
    const common = { about: 'updates', advice: SEE_LOG, runbook: 'HaverdictUpdatesBehind' } as const;
    problems.push({ ...common, sinceMs, text: behindText(updates) });
  }
  const common = { about: 'updates', advice: SEE_LOG, runbook: 'HaverdictMirrorBehind' } as const;
  if (mirror.state === 'behind')
    problems.push({ ...common, text: 'the mirror is behind: the function is asked, and the mirror if that fails' });
  if (mirror.state === 'loading')
    problems.push({ ...common, text: 'the mirror is not loaded yet: the function is asked' });
  return problems;
}

function reloadProblems({ reloads: { lastError, lastErrorAtMs } }: HealthFacts): Problem[] {
  if (lastError === undefined) return [];
  return [
    {
      text: 'the last reload failed: the previous configuration stays in force',
      about: 'reloads',
      ...(lastErrorAtMs !== undefined && { sinceMs: lastErrorAtMs }),
      advice: 'correct what the error names, and reload again',
      runbook: 'HaverdictReloadFailed',
    },
  ];
}

function behindText({ ageSeconds }: AgentState['updates']): string {
  const proof =
    ageSeconds === null
      ? 'none is known to have arrived since the start'
      : `all until ${Math.round(ageSeconds)} s ago have arrived`;
  return `changes to the lists may not have reached this agent, and count once cached verdicts expire: ${proof}`;
}

/** What became of those whom the agent does not know. */
function effectOf({ letThrough, denied }: DegradationState): string {
  if (letThrough > 0) return 'unknown clients are let through by policy, ';
  return denied > 0 ? 'unknown clients are denied by policy, ' : '';
}

function causeOf(reading: DegradationState, deadlineMs: number): string {
  const share = policyShare(reading);
  if (share === 0) return 'the backend has just recovered';
  const reasons = Object.entries(reading.byPolicy).flatMap(([reason, count]) =>
    count > 0 ? [`${reason} ${count}`] : [],
  );
  const did = reading.letThrough > 0 ? 'let through' : 'denied';
  const calls =
    reading.p50Ms === undefined
      ? 'no calls to the backend'
      : `the p50 of calls to the backend is ${Math.round(reading.p50Ms)} ms, deadlineMs is ${deadlineMs}`;
  return `${(share * 100).toFixed(1)} % of the lookups of the last 10 s were ${did} by policy (${reasons.join(', ')}); ${calls}`;
}

/** What to do about the most frequent reason. */
function adviceFor({ byPolicy, ...reading }: DegradationState): string {
  if (policyShare({ byPolicy, ...reading }) === 0) return 'nothing now: wait for ten seconds without a problem';
  const [most] = Object.entries(byPolicy).sort(([, a], [, b]) => b - a)[0] ?? [];
  if (most === 'timeout')
    return 'compare the p50 with deadlineMs: bring the function closer, give it more memory, or raise deadlineMs';
  if (most === 'overload') return 'raise the capacity of the function, or backend.maxCallsPerSecond';
  return most === 'internal_error' ? SEE_LOG : 'see the last error of the backend';
}
