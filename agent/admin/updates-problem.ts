import type { AgentState } from '../state/state.ts';
import { type HealthFacts, type Problem, SEE_LOG } from './problem.ts';

/** For how long after the start it is no problem that nothing has arrived yet, unless something failed. */
const START_MS = 30_000;

/** Changes of the lists that do not arrive, or a mirror that is not up to date: one problem, since one is the cause of the other. */
export function updatesProblems(facts: HealthFacts): Problem[] {
  const { updates, mirror, startedAtMs, takenAtMs } = facts;
  const isBehind = updates.state === 'behind';
  if (!isBehind && !isMirrorBehind(mirror)) return [];
  const { lastError, lastErrorAtMs } = isBehind ? updates : mirror;
  const isNew = takenAtMs - startedAtMs < START_MS && lastError === undefined && updates.ageSeconds === null;
  return [
    {
      effect: effectOf(facts),
      cause: isBehind ? updatesCause(updates) : mirrorCause(mirror),
      about: 'updates',
      ...(isBehind && !isNew && { sinceMs: behindSince(facts) }),
      ...(lastError !== undefined && {
        lastError: { text: lastError, ...(lastErrorAtMs !== undefined && { atMs: lastErrorAtMs }) },
      }),
      ...(isNew ? { advice: 'wait, this takes a few seconds after a start', isStarting: true } : adviceFor(lastError)),
      runbook: isBehind ? 'HaverdictUpdatesBehind' : 'HaverdictMirrorBehind',
    },
  ];
}

function isMirrorBehind({ state }: AgentState['mirror']): boolean {
  return state === 'behind' || state === 'loading';
}

function effectOf({ backend, updates, mirror, config }: HealthFacts): string {
  const isBehind = updates.state === 'behind';
  if (isBehind && backend.breaker !== 'closed') return 'new blocks take effect when the backend answers again';
  const late = `new blocks take effect after up to ${config.cache.allowTtlSeconds} s`;
  const asked = mirror.state === 'behind' ? 'the function is asked first, then the mirror' : 'the function is asked';
  return [...(isBehind ? [late] : []), ...(isMirrorBehind(mirror) ? [asked] : [])].join(', ');
}

/** It is behind from the moment on in which the proof is older than `allowTtlSeconds`. */
function behindSince({
  updates: { ageSeconds },
  config,
  startedAtMs,
  takenAtMs,
}: Pick<HealthFacts, 'updates' | 'config' | 'startedAtMs' | 'takenAtMs'>): number {
  if (ageSeconds === null) return startedAtMs;
  return Math.max(startedAtMs, takenAtMs - (ageSeconds - config.cache.allowTtlSeconds) * 1000);
}

function updatesCause({ lastError, ageSeconds }: AgentState['updates']): string {
  const what =
    lastError === undefined
      ? 'the backend does not confirm that all changes have arrived'
      : 'changes to the lists cannot be fetched';
  return `${what}; ${ageSeconds === null ? 'none since the start' : `complete up to ${Math.round(ageSeconds)} s ago`}`;
}

function mirrorCause({ state, lastError }: AgentState['mirror']): string {
  if (lastError !== undefined) return 'the mirror cannot be loaded';
  return state === 'loading' ? 'the mirror is not loaded yet' : 'the mirror is not proven to be up to date';
}

function adviceFor(lastError: string | undefined): Pick<Problem, 'advice' | 'command'> {
  return lastError === undefined ? SEE_LOG : { ...SEE_LOG, advice: `check the function, then ${SEE_LOG.advice}` };
}
