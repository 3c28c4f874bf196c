import type { Entry } from '../../contract/check.ts';
import type { Clock } from './clock.ts';
import type { SubjectVerdict } from './decision.ts';

/** Times in the cache are whole ticks since the process began: they fit into 32 bits for six years. */
export const TICK_MS = 100;
export const TICKS_A_SECOND = 1000 / TICK_MS;

/** A verdict and until when it is fresh and kept, in ticks. */
export interface Kept {
  readonly verdict: SubjectVerdict;
  freshUntil: number;
  keptUntil: number;
  refreshable: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;

/** The tick at which an entry, or its `unlessAllowed`, expires by this host's clock. */
export function endOf(entry: Entry | null, clock: Clock): number {
  const { expiresAt: own = NEVER, unlessAllowed } = entry ?? {};
  const seconds = Math.min(own, unlessAllowed?.expiresAt ?? NEVER);
  if (seconds === NEVER) return 0x7fffffff;
  return Math.floor((clock.nowMs() + seconds * 1000 - clock.epochMs()) / TICK_MS);
}
