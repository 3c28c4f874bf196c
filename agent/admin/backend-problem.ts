import { type DegradationState, policyShare } from '../decision/degradation-detector.ts';
import type { AgentState } from '../state/state.ts';
import { type HealthFacts, type Problem, SEE_LOG } from './problem.ts';

type Facts = Pick<AgentState, 'degradation' | 'backend' | 'mirror' | 'config'>;

/** An error belongs to an episode that began at most so long after it. */
const BEFORE_MS = 10_000;
const CHECK_FUNCTION = 'check that the function runs, and that this host reaches it and may call it';

/** Why the policy decides, in words. */
const CAUSES: Readonly<Record<keyof DegradationState['byPolicy'], string>> = {
  timeout: 'the backend answers later than deadlineMs',
  backend_error: 'calls to the backend fail',
  breaker_open: 'calls to the backend were paused',
  overload: 'more lookups come than calls are allowed',
  internal_error: 'an internal error of the agent',
};

/** A backend that fails or is too slow, as one problem; at most one. */
export function backendProblems(facts: HealthFacts): Problem[] {
  const { backend, degradation } = facts;
  const isDown = backend.breaker !== 'closed';
  if (!isDown && !degradation.isDegraded) return [];
  const { lastError, lastErrorAtMs = 0 } = backend;
  // of one that is only late, an older error is another story
  const isRecent = isDown || lastErrorAtMs >= (degradation.sinceMs ?? 0) - BEFORE_MS;
  return [
    {
      effect: effectOf(facts),
      cause: causeOf(facts),
      about: 'backend',
      ...(degradation.sinceMs !== undefined && { sinceMs: degradation.sinceMs }),
      ...(lastError !== undefined && isRecent && { lastError: { text: lastError, atMs: lastErrorAtMs } }),
      ...(isDown ? { advice: CHECK_FUNCTION } : adviceFor(degradation)),
      runbook: isDown ? 'HaverdictBreakerOpen' : 'HaverdictDegraded',
    },
  ];
}

/** Whether listed clients can pass now because nobody could be asked about them. */
export function mayListedPass({ degradation, mirror, config }: Facts): boolean {
  return degradation.letThrough > 0 && !isListKnown(mirror, config);
}

/** What became of those of the last ten seconds whom the agent does not know. */
function effectOf(facts: Facts): string {
  const { letThrough, denied } = facts.degradation;
  if (mayListedPass(facts))
    return `listed clients may pass, because those not in the cache are let through${denied > 0 ? ' or denied' : ''} by policy`;
  const isKnown = isListKnown(facts.mirror, facts.config);
  if (letThrough > 0)
    return `listed clients are still denied by the mirror, others are let through${denied > 0 ? ' or denied' : ''} by policy`;
  if (denied > 0) return `clients not in the ${isKnown ? 'mirror' : 'cache'} are denied by policy, listed or not`;
  return isKnown ? 'no client is affected yet, the mirror decides' : 'no client is affected yet, the cache decides';
}

/** A mirror that is behind answers about listed clients for this long if the function does not. */
function isListKnown({ state, ageSeconds }: Facts['mirror'], { updates }: Facts['config']): boolean {
  if (state === 'live') return true;
  return state === 'behind' && ageSeconds !== null && ageSeconds <= updates.ifErrorSeconds;
}

function causeOf({ backend, degradation, config }: Facts): string {
  const counts = countsOf(degradation, config.deadlineMs);
  if (backend.breaker === 'open') return `calls to the backend fail and are paused (circuit breaker open)${counts}`;
  if (backend.breaker === 'probing')
    return `calls to the backend failed and are tried one at a time (circuit breaker probing)${counts}`;
  const reason = mostFrequent(degradation);
  return reason === undefined ? 'the backend has just recovered' : `${CAUSES[reason]}${counts}`;
}

/** The share of lookups that the policy decided, and how long calls took where they came too late. */
function countsOf(reading: DegradationState, deadlineMs: number): string {
  const share = policyShare(reading);
  if (share === 0) return '';
  const reasons = Object.entries(reading.byPolicy).flatMap(([reason, count]) =>
    count > 0 ? [`${reason} ${count}`] : [],
  );
  const isLate = mostFrequent(reading) === 'timeout' && reading.p50Ms !== undefined;
  const time = isLate
    ? `; half of the calls take ${Math.round(reading.p50Ms ?? 0)} ms, deadlineMs is ${deadlineMs}`
    : '';
  return `; ${(share * 100).toFixed(1)} % of the lookups of the last 10 s were decided by policy (${reasons.join(', ')})${time}`;
}

function mostFrequent({ byPolicy }: DegradationState): keyof typeof CAUSES | undefined {
  const [most] = Object.entries(byPolicy).toSorted(([, a], [, b]) => b - a);
  return most === undefined || most[1] === 0 ? undefined : (most[0] as keyof typeof CAUSES); // its keys
}

/** What to do about the most frequent reason. */
function adviceFor(reading: DegradationState): Pick<Problem, 'advice' | 'command'> {
  switch (mostFrequent(reading)) {
    case undefined:
      return { advice: 'nothing now, wait for ten seconds without a problem' };
    case 'timeout':
      return { advice: 'bring the function closer, give it more memory, or raise deadlineMs' };
    case 'overload':
      return { advice: 'raise the capacity of the function, or backend.maxCallsPerSecond' };
    case 'internal_error':
      return SEE_LOG;
    default:
      return { advice: CHECK_FUNCTION };
  }
}
