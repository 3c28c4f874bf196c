import { MIN_LOOKUPS } from '../decision/degradation-detector.ts';
import { KEPT_SECONDS, type Second } from '../state/last-minute.ts';
import type { AgentState } from '../state/state.ts';
import { totalDecisions, totalDenied } from './decision-totals.ts';

/** A share of denied requests that is high for this agent. */
export interface DenySurge {
  /** Of the last ten seconds. */
  readonly share: number;
  /** Since the start, without the last minute; absent if less was decided before than in it. */
  readonly usualShare?: number;
  /** Absent if it began before the last minute. */
  readonly sinceMs?: number;
  /** How many requests pass a second now, and before it began; absent if the last minute does not have both. */
  readonly passing?: { readonly now: number; readonly before: number };
}

const WINDOW_SECONDS = 10;
/** Never told below the one, always above the other; between them if it is more than so many times the usual share. */
const SHARES = { least: 0.1, always: 0.5 } as const;
const FACTOR = 2;
/** It is another one where more seconds than these without a high share lie between. */
const CALM_SECONDS = 3;

/** What the lists or the script deny in the last seconds, if that is much. */
export function denySurge(state: Pick<AgentState, 'decisions' | 'lastMinute'>): DenySurge | undefined {
  const { lastMinute } = state;
  const recent = sumOf(lastMinute.slice(-WINDOW_SECONDS));
  const share = recent.denied / recent.decisions;
  const usualShare = usualShareOf(state);
  const limit = usualShare === undefined ? SHARES.always : limitOf(usualShare);
  if (recent.decisions < MIN_LOOKUPS || share <= limit) return undefined;
  const beganAt = beginOf(lastMinute, limit);
  const [before, since] = [lastMinute.slice(0, beganAt), lastMinute.slice(beganAt)];
  const isOlder = before.length < CALM_SECONDS && lastMinute.length >= KEPT_SECONDS - 1;
  const sinceMs = isOlder ? undefined : since[0]?.atMs;
  return {
    share,
    ...(usualShare !== undefined && { usualShare }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(before.length >= CALM_SECONDS && {
      passing: {
        now: passingOf(lastMinute.slice(Math.max(beganAt, lastMinute.length - WINDOW_SECONDS))),
        before: passingOf(before),
      },
    }),
  };
}

function limitOf(usualShare: number): number {
  return Math.min(SHARES.always, Math.max(SHARES.least, FACTOR * usualShare));
}

function usualShareOf(state: Pick<AgentState, 'decisions' | 'lastMinute'>): number | undefined {
  const minute = sumOf(state.lastMinute);
  const decisions = totalDecisions(state) - minute.decisions;
  return decisions < Math.max(MIN_LOOKUPS, minute.decisions)
    ? undefined
    : Math.max(0, totalDenied(state) - minute.denied) / decisions;
}

/** The index of the first second of the surge that goes on. */
function beginOf(seconds: readonly Second[], limit: number): number {
  let began = seconds.length;
  for (const [index, { decisions, denied }] of [...seconds.entries()].toReversed()) {
    if (began - index > CALM_SECONDS + 1) break;
    if (denied > decisions * limit) began = index;
  }
  return began;
}

function passingOf(seconds: readonly Second[]): number {
  const { decisions, denied } = sumOf(seconds);
  return (decisions - denied) / Math.max(1, seconds.length);
}

function sumOf(seconds: readonly Second[]): { decisions: number; denied: number } {
  return {
    decisions: seconds.reduce((sum, of) => sum + of.decisions, 0),
    denied: seconds.reduce((sum, of) => sum + of.denied, 0),
  };
}
