import type { Decision } from '../decision/decision.ts';

/**
 * What a mirror knows of a subject, once as an answer of a live mirror and once as a stale one. Equal ones of addresses are
 * the same object.
 */
export interface MirrorVerdict {
  /** Absent if the backend has to be asked: there are more entries of this kind than the mirror keeps, or the winner has details that it does not keep. */
  readonly live: Decision | undefined;
  /** For when the backend cannot be asked; at least the action of the winner. Absent if the mirror knows of none. */
  readonly stale: Decision | undefined;
}
